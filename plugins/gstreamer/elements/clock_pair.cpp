#include "clock_pair.hpp"

#include <algorithm>
#include <cstdlib>

#include <reel/base/clock.hpp>
#include <reel/gst/clock.hpp>
#include <reel/gst/pointers.hpp>

namespace reel::gst {

std::int64_t ClockPair::follow(std::int64_t measured_ns, std::int64_t now_ns) noexcept {
  if (!measured_ || std::abs(measured_ns - present_ns_) > kStepNs) {
    present_ns_ = measured_ns;
    measured_ = true;
  }
  const std::int64_t most_ns = std::max<std::int64_t>(now_ns - moved_at_ns_, 0) / kSteepest;
  present_ns_ += std::clamp(measured_ns - present_ns_, -most_ns, most_ns);
  moved_at_ns_ = now_ns;
  return present_ns_;
}

std::int64_t ClockPair::offset_ns(GstElement* element, std::int64_t now_ns) noexcept {
  const Ptr<GstClock> clock(gst_element_get_clock(element));
  const GstClockTime base = gst_element_get_base_time(element);
  if (!clock || !GST_CLOCK_TIME_IS_VALID(base)) return kNoTime;
  if (!measured_ || now_ns - measured_at_ns_ >= kMeasureEveryNs) {
    target_ns_ = monotonic_minus(clock.get());
    measured_at_ns_ = now_ns;
  }
  return static_cast<std::int64_t>(base) + follow(target_ns_, now_ns);
}

}  // namespace reel::gst
