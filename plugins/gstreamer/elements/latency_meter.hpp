// How late a live stream's frames are: what a sink behind reelsrc must allow for so that they are still in
// time. The streaming thread observes; latency_ns() may be asked from any.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

namespace reel::gst {

/// The least latency of a live source is a frame's duration (it is whole before it can be read), or how long
/// after its presentation time it was published, where that is more: the latency of the sender's own
/// pipeline, which frames themselves tell. Late beginnings, backlogs and single stalls are no latency: only
/// lateness that frames published in step have in common counts.
class LatencyMeter {
 public:
  static constexpr std::int64_t kHandOffNs = 5'000'000;    // from publish to the next element, generously
  static constexpr std::int64_t kAtOnceNs = 200'000'000;   // of the first frame: believed without waiting
  static constexpr std::int64_t kMostNs = 10'000'000'000;  // beyond it, a time line is wrong, not late
  static constexpr std::size_t kWindow = 8;                // frames

  /// As if new.
  void reset() noexcept;
  /// Another writer or stream: measures anew; the latency told so far stays the least.
  void forget() noexcept { seen_ = 0; }
  /// True when latency_ns() has changed.
  bool set_frame_duration(std::int64_t duration_ns) noexcept;
  /// A frame was published so long after its presentation time. True when latency_ns() has changed.
  bool observe(std::int64_t late_ns) noexcept;

  [[nodiscard]] std::int64_t frame_duration_ns() const noexcept {
    return duration_ns_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::int64_t latency_ns() const noexcept {
    return std::max(frame_duration_ns(), late_ns_.load(std::memory_order_relaxed)) + kHandOffNs;
  }

 private:
  bool raise_to(std::int64_t late_ns) noexcept;

  std::atomic<std::int64_t> duration_ns_{0};
  std::atomic<std::int64_t> late_ns_{0};
  std::array<std::int64_t, kWindow> window_{};
  std::size_t seen_ = 0;
};

}  // namespace reel::gst
