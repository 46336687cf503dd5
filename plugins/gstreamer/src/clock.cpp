#include <limits>

#include <reel/base/clock.hpp>
#include <reel/gst/clock.hpp>
#include <reel/gst/pointers.hpp>

namespace reel::gst {

namespace {

bool is_monotonic(GstClock* clock) {
  if (!GST_IS_SYSTEM_CLOCK(clock) ||
      g_object_class_find_property(G_OBJECT_GET_CLASS(clock), "clock-type") == nullptr)
    return false;
  GstClockType type{};
  g_object_get(clock, "clock-type", &type, nullptr);
  return type == GST_CLOCK_TYPE_MONOTONIC;
}

}  // namespace

std::int64_t monotonic_minus(GstClock* clock) noexcept {
  if (is_monotonic(clock)) return 0;
  // The reading that was bracketed most tightly is the one that was least disturbed.
  std::int64_t best_width = std::numeric_limits<std::int64_t>::max();
  std::int64_t difference = 0;
  for (int attempt = 0; attempt < 5; ++attempt) {
    const std::int64_t before = monotonic_ns();
    const auto there = static_cast<std::int64_t>(gst_clock_get_time(clock));
    const std::int64_t after = monotonic_ns();
    if (after - before < best_width) {
      best_width = after - before;
      difference = before + (after - before) / 2 - there;
    }
  }
  return difference;
}

std::int64_t monotonic_offset(GstElement* element) noexcept {
  const Ptr<GstClock> clock(gst_element_get_clock(element));
  const GstClockTime base = gst_element_get_base_time(element);
  if (!clock || !GST_CLOCK_TIME_IS_VALID(base)) return kNoTime;
  return static_cast<std::int64_t>(base) + monotonic_minus(clock.get());
}

}  // namespace reel::gst
