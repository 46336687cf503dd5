// Media time of a stream's frames: their own time line where it is good, held to CLOCK_MONOTONIC, which is
// common to all tracks. Pure; single-thread.
#pragma once

#include <cstdint>
#include <optional>

#include <reel/base/clock.hpp>

namespace record {

/// What a frame says of its time. Nanoseconds; reel::kNoTime where not known.
struct FrameTimes {
  std::int64_t pts_ns = reel::kNoTime;
  std::int64_t dts_ns = reel::kNoTime;
  std::int64_t duration_ns = reel::kNoTime;  // of sound: counted from its samples where that can be
  std::int64_t capture_ns = reel::kNoTime;   // CLOCK_MONOTONIC of the picture or sound
  std::int64_t arrived_ns = 0;               // CLOCK_MONOTONIC when it was published or taken
  bool discont = false;
  bool reordered = false;  // encoded pictures that may come in another order than they are shown in
};

struct MediaTime {
  std::int64_t time_ns = 0;
  std::int64_t decode_ns = reel::kNoTime;  // set where dts was
  bool jumped = false;  // it does not continue the frame before: the line was anchored anew
};

class TrackClock {
 public:
  struct Settings {
    std::int64_t anchor_ns = 0;               // CLOCK_MONOTONIC of media time 0: the same for all tracks
    std::int64_t jump_ns = 200'000'000;       // further off than this, and the line is anchored anew at once
    std::int64_t window_ns = 30'000'000'000;  // drift is measured over this much
    std::int64_t slew_ppm = 500;              // and corrected by at most this
  };
  explicit TrackClock(Settings settings) noexcept;

  /// Never goes back but for reordered pictures: a frame that says so is put 1 us behind the one before. The
  /// line is anchored anew at once where a frame's own time is impossible, where `capture_ns` says so or
  /// `discont` is set; frames that only come late, in a burst perhaps, must do so for a second.
  [[nodiscard]] MediaTime place(const FrameTimes& frame) noexcept;

  /// How much faster than CLOCK_MONOTONIC the stream's own clock runs, parts per million; nullopt before two
  /// windows have passed.
  [[nodiscard]] std::optional<double> drift_ppm() const noexcept;
  /// Media time minus the stream's own time now. REQUIRES: a frame was placed.
  [[nodiscard]] std::int64_t offset_ns() const noexcept { return offset_ns_; }
  /// How often the line was anchored anew.
  [[nodiscard]] std::uint64_t jump_count() const noexcept { return jumps_; }

 private:
  [[nodiscard]] std::int64_t own_time(const FrameTimes& frame) const noexcept;
  [[nodiscard]] bool jumps(const FrameTimes& frame, std::int64_t own_ns, std::int64_t error_ns) noexcept;
  void anchor(std::int64_t own_ns, std::int64_t media_ns) noexcept;
  void correct(std::int64_t elapsed_ns) noexcept;
  void measure(std::int64_t own_ns, std::int64_t error_ns) noexcept;

  Settings settings_;
  bool begun_ = false;
  std::int64_t offset_ns_ = 0;    // media time - own time
  std::int64_t last_ns_ = 0;      // media time of the frame before
  std::int64_t last_own_ns_ = 0;  // own time of the frame before
  std::int64_t next_own_ns_ = 0;  // of a frame without pts
  std::uint64_t jumps_ = 0;
  std::optional<std::int64_t> late_since_ns_;  // own time; frames come too late since, and may catch up
  // The window that is measured now: its least error.
  bool has_window_ = false;
  std::int64_t window_begin_ns_ = 0;  // own time
  std::int64_t window_error_ns_ = 0;
  // What windows before it said.
  std::int64_t correction_ns_ = 0;  // still to be made
  std::int64_t corrected_ns_ = 0;   // made since the line was anchored
  std::optional<std::int64_t> first_error_ns_;
  std::int64_t first_error_own_ns_ = 0;
  std::optional<double> drift_ppm_;
};

}  // namespace record
