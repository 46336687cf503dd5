#include "frame_chooser.hpp"
#include "frame_times.hpp"

#include <algorithm>
#include <cmath>

namespace reel {
namespace {

constexpr std::int64_t kHole = 4;       // distances of frames without one
constexpr std::int64_t kSmoothed = 16;  // distances that the mean is of

}  // namespace

FrameChooser::FrameChooser(const FrameChoice& choice) noexcept
    : every_(std::max<std::uint32_t>(choice.every, 1)),
      interval_ns_(choice.max_fps > 0 ? std::llround(1e9 / choice.max_fps) : 0) {}

bool FrameChooser::takes(const Frame& frame) noexcept {
  return takes(media_time_ns(frame).value_or(capture_time_ns(frame)));
}

bool FrameChooser::takes(std::int64_t time_ns) noexcept {
  if (interval_ns_ == 0) return seen_++ % every_ == 0;
  note(time_ns);
  if (time_ns < due_ns_ - spacing_ns_ / 2) return false;
  // Of a stream that is slower, due times stay behind by one at most: what is late is not made up for.
  due_ns_ = std::max(due_ns_, time_ns - interval_ns_) + interval_ns_;
  return true;
}

// Follows the distance of frames. After a hole, or when times begin anew, so does the grid.
void FrameChooser::note(std::int64_t time_ns) noexcept {
  const std::int64_t step_ns = time_ns - last_ns_;
  last_ns_ = time_ns;
  const bool hole = spacing_ns_ > 0 && step_ns / kHole > spacing_ns_;
  if (seen_++ == 0 || hole || step_ns < -interval_ns_) {
    due_ns_ = time_ns;
    return;
  }
  const std::int64_t spacing_ns = std::max<std::int64_t>(step_ns, 0);
  steps_ = std::min(steps_ + 1, kSmoothed);
  spacing_ns_ += (spacing_ns - spacing_ns_) / steps_;
}

}  // namespace reel
