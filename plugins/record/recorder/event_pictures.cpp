#include "recorder/event_pictures.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/whole_file.hpp>

#include "catalog/segment_name.hpp"
#include "media/thumbnail.hpp"

namespace record {
namespace {

constexpr PictureSize kWhole{8192, 90}, kSmall{320, 80};

/// Returns its path below the directory, which the mark names.
std::string write_picture(const Store& store, const std::string& path, const std::vector<std::byte>& jpeg) {
  reel::write_whole_file(store.whole_path(path), std::span(jpeg), "the option directory");
  return path;
}

void add_picture(const Store& store, const SegmentRecord& record, EventMark& mark) {
  const std::string file = store.whole_path(open_path_of(record.path));
  const std::string stem = fmt::format("{}.{}", stem_of(record.path), mark.id);
  const std::int64_t time_ns = mark.best_ns - record.start_ns;
  mark.picture = write_picture(store, stem + ".jpg", thumbnail(file, time_ns, kWhole));
  mark.thumbnail = write_picture(store, stem + ".small.jpg", thumbnail(file, time_ns, kSmall));
}

}  // namespace

void add_pictures(const Store& store, SegmentRecord& record) {
  const auto shows = [](const Track& track) { return track.media == "video"; };
  if (std::none_of(record.tracks.begin(), record.tracks.end(), shows)) return;
  for (EventMark& mark : record.events) {
    if (mark.best_ns < record.start_ns || mark.best_ns >= record.end_ns) continue;
    try {
      add_picture(store, record, mark);
    } catch (const std::exception& error) {
      reel::log_warning(fmt::format("event {} has {}: {}", mark.id,
                                    mark.picture.empty() ? "no picture" : "no small picture", error.what()));
    }
  }
}

}  // namespace record
