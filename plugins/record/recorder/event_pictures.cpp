#include "recorder/event_pictures.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

#include "catalog/segment_name.hpp"
#include "media/thumbnail.hpp"

namespace record {
namespace {

constexpr PictureSize kWhole{8192, 90}, kSmall{320, 80};

void write_picture(const std::string& path, const std::vector<std::byte>& jpeg) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(jpeg.data()), static_cast<std::streamsize>(jpeg.size()));
  file.close();
  if (!file) throw reel::Error(reel::ErrorCode::io, "cannot write the picture of an event", path);
}

void add_picture(const Store& store, const SegmentRecord& record, EventMark& mark) {
  const std::string file = store.whole_path(open_path_of(record.path));
  const std::string stem = fmt::format("{}.{}", stem_of(record.path), mark.id);
  const std::int64_t time_ns = mark.best_ns - record.start_ns;
  write_picture(store.whole_path(stem + ".jpg"), thumbnail(file, time_ns, kWhole));
  mark.picture = stem + ".jpg";
  write_picture(store.whole_path(stem + ".small.jpg"), thumbnail(file, time_ns, kSmall));
  mark.thumbnail = stem + ".small.jpg";
}

}  // namespace

void add_pictures(const Store& store, SegmentRecord& record) {
  const auto shows = [](const Track& track) { return track.media == "video"; };
  if (std::none_of(record.tracks.begin(), record.tracks.end(), shows)) return;
  for (EventMark& mark : record.events) {
    if (mark.best_ns < record.start_ns || mark.best_ns >= record.end_ns) continue;
    try {
      add_picture(store, record, mark);
    } catch (const reel::Error& error) {
      reel::log_warning(fmt::format("no picture of event {}: {}", mark.id, error.what()));
    }
  }
}

}  // namespace record
