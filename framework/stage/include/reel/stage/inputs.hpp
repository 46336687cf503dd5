// What a stage gets of its inputs beside what their policies say: which frames of one, and which frames of
// several belong together. Pure values, set in the pipeline file (`every`, `max_fps`, `join`), thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace reel {

inline constexpr double kLeastMaxFps = 0.001;
inline constexpr double kMostMaxFps = 100'000;

/// Which media frames of an input are taken, of those that its policy gives; the others are passed over,
/// unverified, and counted as skipped. One of the two at most, and for raw video and bytes only: pieces of
/// audio and of encoded streams cannot be left out.
struct FrameChoice {
  std::uint32_t every = 1;  // the first of every so many
  double max_fps = 0;       // so many a second of the frames' own time, on average; 0: all

  [[nodiscard]] bool all() const noexcept { return every <= 1 && max_fps <= 0; }
  bool operator==(const FrameChoice&) const = default;
};

/// Which times of the frames of several inputs are compared.
enum class JoinTime {
  automatic,  // capture where every input is bound to the clock (its segment says so, it is live, or it has
              // no pts); media otherwise
  media,      // pts, as running time: of files, and of streams that come from one source
  capture     // CLOCK_MONOTONIC when the frame was taken: of cameras
};
[[nodiscard]] std::string_view to_string(JoinTime time) noexcept;
[[nodiscard]] std::optional<JoinTime> join_time_from(std::string_view name) noexcept;

inline constexpr std::int64_t kLongestJoin_ns = 3'600'000'000'000;  // tolerance and timeout
/// Frames of each joined input that are held at least: one at hand, and one that may be nearer to the others.
inline constexpr std::uint32_t kJoinPins = 2;

/// How the inputs of a stage are joined: it gets sets of one frame of each (Stage::process_set), all within
/// `tolerance_ns` of one another, each frame in one set at most, nearest ones together. Frames without
/// partners are let go and counted as skipped.
struct JoinRule {
  std::int64_t tolerance_ns = 0;
  JoinTime time = JoinTime::automatic;
  // Since it was published, how long a frame waits for its partners; 0: as long as it takes
  std::int64_t timeout_ns = 0;

  bool operator==(const JoinRule&) const = default;
};

}  // namespace reel
