#include "recorder/sightings.hpp"

#include <algorithm>
#include <array>

namespace record {
namespace {

constexpr std::size_t kMost = 256;  // kinds of a segment: labels may be anything

/// The view of one entry alone.
template <typename Use>
void with_entry_alone(const reel::SideDataView::Entry& entry, Use use) {
  alignas(8) std::array<std::byte, 512> place{};
  reel::SideDataWriter alone(place);
  if (alone.add_entry(entry)) use(alone.view());
}

}  // namespace

void Sightings::count(const std::string& stream, std::int64_t media_ns, const Seen& seen) {
  const auto same = [&](const Sighting& other) {
    return other.stream == stream && other.type == seen.type && other.name == seen.name &&
           other.label == seen.label;
  };
  auto found = std::find_if(all_.begin(), all_.end(), same);
  if (found == all_.end()) {
    if (all_.size() >= kMost) return;
    Sighting fresh;
    fresh.stream = stream;
    fresh.type = seen.type;
    fresh.name = seen.name;
    fresh.label = seen.label;
    fresh.highest = seen.value;
    fresh.first_ns = media_ns;
    all_.push_back(std::move(fresh));
    found = all_.end() - 1;
  }
  ++found->count;
  found->highest = std::max(found->highest, seen.value);
  found->last_ns = media_ns;
}

void Sightings::add(const std::string& stream, std::int64_t media_ns, const reel::SideDataView& side) {
  for (const auto& entry : side) {
    switch (entry.type) {
      case reel::SideDataType::detections:
        for (const reel::Detection& found : reel::SideDataView::detections(entry))
          count(stream, media_ns, {"detections", entry.name, found.label_text(), found.score});
        break;
      case reel::SideDataType::motion:
        with_entry_alone(entry, [&](const reel::SideDataView& alone) {
          if (alone.motion()) count(stream, media_ns, {"motion", entry.name, {}, alone.motion()->score});
        });
        break;
      case reel::SideDataType::audio_level:
        with_entry_alone(entry, [&](const reel::SideDataView& alone) {
          const auto level = alone.audio_level();
          if (!level || level->channels == 0) return;
          const auto* end =
              level->peak_dbfs.begin() + std::min<std::size_t>(level->channels, reel::kMaxLevelChannels);
          count(stream, media_ns,
                {"audio_level", entry.name, {}, *std::max_element(level->peak_dbfs.begin(), end)});
        });
        break;
      case reel::SideDataType::json: count(stream, media_ns, {"json", entry.name, {}, 0}); break;
      case reel::SideDataType::bytes: break;
    }
  }
}

}  // namespace record
