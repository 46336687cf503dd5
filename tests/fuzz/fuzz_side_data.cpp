// Side data from a peer: the view stays inside its bytes, and what it reads can be passed on.
#include <cmath>
#include <cstring>
#include <vector>

#include <reel/format/side_data.hpp>

#include "fuzz.hpp"

namespace {

using reel::SideDataView;
using reel::fuzz::require;

void check(const SideDataView::Entry& entry, std::span<const std::byte> bytes) {
  const auto inside = [&](const void* begin, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(begin);
    return first >= bytes.data() && first + size <= bytes.data() + bytes.size();
  };
  require(inside(entry.data.data(), entry.data.size()), "an entry's data lies inside");
  require(inside(entry.name.data(), entry.name.size()), "an entry's name lies inside");
  require(entry.name.size() <= reel::kSideDataNameBytes, "a name is bounded");
  for (const reel::Detection& detection : SideDataView::detections(entry)) {
    require(inside(&detection, sizeof detection), "a detection lies inside");
    require(detection.label_text().size() <= detection.label.size(), "a label is bounded");
  }
}

// The same entries in the same order; names may have been cut.
void check_copy(const SideDataView& view, std::size_t capacity) {
  std::vector<std::uint64_t> place((capacity + 7) / 8);
  reel::SideDataWriter writer(std::as_writable_bytes(std::span(place)).first(capacity));
  require(writer.add_all(view), "what was read fits a place of the same size");
  auto copy = writer.view().begin();
  for (const SideDataView::Entry& entry : view) {
    require(copy != writer.view().end(), "no entry is lost");
    require(copy->type == entry.type && entry.name.starts_with(copy->name), "type and name are kept");
    require(copy->data.size() == entry.data.size(), "the size is kept");
    require(entry.data.empty() || std::memcmp(copy->data.data(), entry.data.data(), entry.data.size()) == 0,
            "the data is kept");
    ++copy;
  }
  require(copy == writer.view().end(), "no entry is added");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const SideDataView view(std::as_bytes(std::span(data, size)));
  for (const SideDataView::Entry& entry : view) check(entry, view.bytes());
  if (const auto motion = view.motion()) require(std::isfinite(motion->score), "a score is a number");
  if (const auto level = view.audio_level()) {
    require(level->channels <= reel::kMaxLevelChannels, "the channels are bounded");
    for (const float value : level->rms_dbfs) require(std::isfinite(value), "a level is a number");
  }
  check_copy(view, size);
  return 0;
}
