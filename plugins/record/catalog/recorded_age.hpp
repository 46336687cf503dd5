// How old segments are, whatever the wall clock did: see retention.hpp. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "catalog/segment.hpp"

namespace record {

/// In the order in which they were begun. Those whose sequence is not known go by their time among the rest.
[[nodiscard]] std::vector<const SegmentRecord*> in_order(const std::vector<SegmentRecord>& segments);

/// Of each of `ordered`, how long ago it ended. Steps of the clock above `longest_step_ns` count as nothing.
[[nodiscard]] std::vector<std::int64_t> recorded_ages(const std::vector<const SegmentRecord*>& ordered,
                                                      std::int64_t longest_step_ns, std::int64_t now_utc_ns);

}  // namespace record
