// `verify`: reads (or decodes) files from end to end and compares them with their manifests, and each with
// the one before.
#include <map>
#include <tuple>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <reel/base/error.hpp>

#include "json_output.hpp"
#include "media/probe.hpp"
#include "tool/actions.hpp"
#include "tool/probed.hpp"

namespace record {

namespace {

/// Pictures of one stream of one recording, from segment to segment; those of events are there once more.
class Seams {
 public:
  /// Problems with what came before.
  std::vector<std::string> next(const SegmentRecord& segment) {
    std::vector<std::string> problems;
    for (const Track& track : segment.tracks) {
      if (track.media != "video") continue;
      std::uint64_t& due = due_[{segment.recording, track.stream, is_of_event(segment)}];
      // A recording that was begun anew counts from 0.
      if (track.first_frame > 0 && track.first_frame < due)
        problems.push_back(
            fmt::format("{} begins with frame {}, and the segment before goes to {}: some are there twice",
                        track.stream, track.first_frame, due - 1));
      due = track.first_frame + track.frames;
    }
    return problems;
  }

 private:
  using Key = std::tuple<std::string, std::string, bool>;
  std::map<Key, std::uint64_t> due_;  // the next frame
};

std::vector<std::string> problems_in(const Catalog& catalog, const SegmentRecord& segment, bool decode) {
  try {
    return problems_of(segment, probe(catalog.store().whole_path(segment.path), decode));
  } catch (const reel::Error& failure) {
    return {failure.message()};
  }
}

}  // namespace

int verify(Catalog& catalog, const Request& request) {
  Seams seams;
  nlohmann::json list = nlohmann::json::array();
  std::uint64_t bad = 0;
  std::uint64_t all = 0;
  for_chosen(catalog, request, [&](const SegmentRecord& segment) {
    if (segment.state == SegmentState::open) return;  // nobody knows yet what it should be
    std::vector<std::string> problems = problems_in(catalog, segment, request.decode);
    for (std::string& problem : seams.next(segment)) problems.push_back(std::move(problem));
    bad += problems.empty() ? 0 : 1;
    ++all;
    if (request.json) {
      list.push_back({{"path", segment.path}, {"ok", problems.empty()}, {"problems", problems}});
      return;
    }
    fmt::print("{} {}\n", problems.empty() ? "good" : "BAD ", segment.path);
    for (const std::string& problem : problems) fmt::print("     {}\n", problem);
  });
  if (request.json) {
    print_json(list);
  } else {
    fmt::print("{} {}, {} bad\n", segments_text(all), request.decode ? "decoded" : "read", bad);
  }
  return bad == 0 ? 0 : 1;
}

}  // namespace record
