// CLOCK_MONOTONIC minus a pipeline's running time, whatever the pipeline's clock: exact where that is
// GStreamer's system clock, measured from time to time where it is another (audio, network, PTP).
// Single-thread.
#pragma once

#include <cstdint>

#include <gst/gst.h>

namespace reel::gst {

/// A clock of another pace is followed without jumps: what a new measurement differs by is worked off at 1 ms
/// a second. A difference above 200 ms is no drift but a clock that was set: followed at once.
class ClockPair {
 public:
  static constexpr std::int64_t kMeasureEveryNs = 500'000'000;
  static constexpr std::int64_t kSteepest = 1000;  // nanoseconds for each of one that is worked off
  static constexpr std::int64_t kStepNs = 200'000'000;

  /// The clock, its base time or the state changed.
  void forget() noexcept { measured_ = false; }

  /// kNoTime where `element` has no clock or base time yet. `now_ns` is CLOCK_MONOTONIC.
  [[nodiscard]] std::int64_t offset_ns(GstElement* element, std::int64_t now_ns) noexcept;

  /// The same for a difference of clocks that was measured already: what offset_ns() makes of it.
  [[nodiscard]] std::int64_t follow(std::int64_t measured_ns, std::int64_t now_ns) noexcept;

 private:
  bool measured_ = false;
  std::int64_t measured_at_ns_ = 0;
  std::int64_t moved_at_ns_ = 0;
  std::int64_t target_ns_ = 0;   // CLOCK_MONOTONIC minus the clock, as measured last
  std::int64_t present_ns_ = 0;  // on the way there
};

}  // namespace reel::gst
