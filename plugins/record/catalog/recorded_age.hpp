// How old segments are, whatever the wall clock did: see retention.hpp. Pure; thread-safe.
//
// Segments lie on a line in the order in which they were begun. Where the clock ran on from one to the next,
// both are of one stretch: within it, time is the clock's. Where it did not, a new stretch begins, and what
// the step counts for depends on the rule. So the index keeps who is of which stretch, and an age takes no
// more than one look at each stretch, of which there are as many as days at most, unless clocks go wrong.
#pragma once

#include <cstdint>
#include <vector>

namespace record {

/// True for a step that any rule takes for time that went by: up to a day ahead, up to an hour back.
[[nodiscard]] bool clock_ran_on(std::int64_t from_utc_ns, std::int64_t to_utc_ns) noexcept;

struct Stretch {
  std::int64_t number = 0;
  std::int64_t first_utc_ns = 0;  // start of what was begun first
  std::int64_t last_utc_ns = 0;   // start of what was begun last
};

/// What each stretch's clock would show now, had it never been set. Steps above `longest_step_ns` (a day or
/// more) count as nothing. REQUIRES: the newest stretch is first.
[[nodiscard]] std::vector<std::int64_t> clocks_now(const std::vector<Stretch>& stretches,
                                                   std::int64_t longest_step_ns, std::int64_t now_utc_ns);

/// The end as it counts for an age: one that cannot be is the start.
[[nodiscard]] std::int64_t believable_end(std::int64_t start_utc_ns, std::int64_t end_utc_ns,
                                          std::int64_t longest_step_ns) noexcept;

}  // namespace record
