#include "latency_meter.hpp"

#include <algorithm>

namespace reel::gst {
namespace {

constexpr std::int64_t kStepNs = 10'000'000;    // latency grows in such steps, so that it does not grow often
constexpr std::int64_t kJitterNs = 20'000'000;  // of frames that are published in step

}  // namespace

void LatencyMeter::reset() noexcept {
  duration_ns_.store(0, std::memory_order_relaxed);
  late_ns_.store(0, std::memory_order_relaxed);
  seen_ = 0;
}

bool LatencyMeter::set_frame_duration(std::int64_t duration_ns) noexcept {
  return duration_ns_.exchange(duration_ns, std::memory_order_relaxed) != duration_ns;
}

bool LatencyMeter::observe(std::int64_t late_ns) noexcept {
  if (late_ns > kMostNs) return false;
  window_[seen_++ % kWindow] = late_ns;
  if (seen_ == 1) return late_ns <= kAtOnceNs && raise_to(late_ns);
  if (seen_ < kWindow) return false;
  const auto [least, most] = std::minmax_element(window_.begin(), window_.end());
  return *most - *least <= std::max(kJitterNs, frame_duration_ns()) && raise_to(*most);
}

bool LatencyMeter::raise_to(std::int64_t late_ns) noexcept {
  if (late_ns <= late_ns_.load(std::memory_order_relaxed)) return false;
  late_ns_.store((late_ns + kStepNs - 1) / kStepNs * kStepNs, std::memory_order_relaxed);
  return true;
}

}  // namespace reel::gst
