#include "catalog/recorded_age.hpp"

#include <algorithm>
#include <limits>

namespace record {

namespace {

constexpr std::int64_t kDay_ns = 86'400'000'000'000;
// Segments of several cameras begin in an order that is not quite that of their first frames; a spool that
// drains may hold minutes. Below this a step back is that.
constexpr std::int64_t kLongestStepBack_ns = 3'600'000'000'000;

/// From one time to another, 0 where it is a step that counts as nothing. Manifests may say any times.
std::int64_t believable(std::int64_t from_ns, std::int64_t to_ns, std::int64_t longest_ns) noexcept {
  std::int64_t step_ns = 0;
  if (__builtin_sub_overflow(to_ns, from_ns, &step_ns)) return 0;
  return step_ns < -kLongestStepBack_ns || step_ns > longest_ns ? 0 : step_ns;
}

std::int64_t later(std::int64_t time_ns, std::int64_t by_ns) noexcept {
  std::int64_t sum_ns = 0;
  if (!__builtin_add_overflow(time_ns, by_ns, &sum_ns)) return sum_ns;
  return by_ns < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

}  // namespace

bool clock_ran_on(std::int64_t from_utc_ns, std::int64_t to_utc_ns) noexcept {
  return to_utc_ns == from_utc_ns || believable(from_utc_ns, to_utc_ns, kDay_ns) != 0;
}

std::vector<std::int64_t> clocks_now(const std::vector<Stretch>& stretches, std::int64_t longest_step_ns,
                                     std::int64_t now_utc_ns) {
  std::vector<std::int64_t> clocks;
  std::int64_t since_ns = 0;  // the beginning of the stretch that came after
  std::int64_t next_utc_ns = now_utc_ns;
  for (const Stretch& stretch : stretches) {
    since_ns = later(since_ns, believable(stretch.last_utc_ns, next_utc_ns, longest_step_ns));
    clocks.push_back(later(stretch.last_utc_ns, since_ns));
    since_ns =
        later(clocks.back(), -std::max(stretch.first_utc_ns, -std::numeric_limits<std::int64_t>::max()));
    next_utc_ns = stretch.first_utc_ns;
  }
  return clocks;
}

std::int64_t believable_end(std::int64_t start_utc_ns, std::int64_t end_utc_ns,
                            std::int64_t longest_step_ns) noexcept {
  return start_utc_ns + std::max<std::int64_t>(believable(start_utc_ns, end_utc_ns, longest_step_ns), 0);
}

}  // namespace record
