// The times of a frame that others are compared with. Pure; what a frame says comes from another process, so
// nothing here overflows: times are cut at kFarthest_ns either way (73 years).
#pragma once

#include <cstdint>
#include <optional>

#include <reel/channel/frame.hpp>

namespace reel {

inline constexpr std::int64_t kFarthest_ns = std::int64_t{1} << 61;

/// Its pts on the running time of its stream (Segment); nullopt where it has none.
[[nodiscard]] std::optional<std::int64_t> media_time_ns(const Frame& frame) noexcept;

/// CLOCK_MONOTONIC when it was taken; where that is not said, when it is to be presented; else when it was
/// published.
[[nodiscard]] std::int64_t capture_time_ns(const Frame& frame) noexcept;

/// CLOCK_MONOTONIC when it was published.
[[nodiscard]] std::int64_t publish_time_ns(const Frame& frame) noexcept;

/// Whether its times are moments of the clock: it has no pts, it is of a live source, or its segment is bound
/// to the clock.
[[nodiscard]] bool bound_to_clock(const Frame& frame) noexcept;

/// How long until the next frame of its stream, by its duration or its format's rate; 0 where neither is
/// known.
[[nodiscard]] std::int64_t spacing_ns(const Frame& frame) noexcept;

}  // namespace reel
