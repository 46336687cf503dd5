#include "catalog/recorded_age.hpp"

#include <algorithm>
#include <tuple>

namespace record {

namespace {

// Segments of several cameras begin in an order that is not quite that of their first frames; a spool that
// drains may hold minutes. Below this a step back is that.
constexpr std::int64_t kLongestStepBack_ns = 3'600'000'000'000;

struct Place {
  std::uint64_t sequence;
  const SegmentRecord* segment;
};

std::int64_t believable(std::int64_t step_ns, std::int64_t longest_ns) {
  return step_ns < -kLongestStepBack_ns || step_ns > longest_ns ? 0 : step_ns;
}

}  // namespace

std::vector<const SegmentRecord*> in_order(const std::vector<SegmentRecord>& segments) {
  std::vector<Place> places;
  for (const SegmentRecord& segment : segments) places.push_back({segment.sequence, &segment});
  const auto time = [](const Place& place) {
    return std::tie(place.segment->start_utc_ns, place.segment->path);
  };
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) { return time(a) < time(b); });
  std::uint64_t before = 0;
  for (Place& place : places) {
    if (place.sequence == 0) place.sequence = before;
    before = place.sequence;
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.sequence < b.sequence; });
  std::vector<const SegmentRecord*> ordered;
  for (const Place& place : places) ordered.push_back(place.segment);
  return ordered;
}

std::vector<std::int64_t> recorded_ages(const std::vector<const SegmentRecord*>& ordered,
                                        std::int64_t longest_step_ns, std::int64_t now_utc_ns) {
  std::vector<std::int64_t> ends;
  std::int64_t position = 0;
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    if (i > 0)
      position += believable(ordered[i]->start_utc_ns - ordered[i - 1]->start_utc_ns, longest_step_ns);
    const std::int64_t length =
        believable(ordered[i]->end_utc_ns - ordered[i]->start_utc_ns, longest_step_ns);
    ends.push_back(position + std::max<std::int64_t>(length, 0));
  }
  if (!ordered.empty()) position += believable(now_utc_ns - ordered.back()->start_utc_ns, longest_step_ns);
  for (std::int64_t& end : ends) end = position - end;
  return ends;
}

}  // namespace record
