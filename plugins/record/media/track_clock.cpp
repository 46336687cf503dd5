#include "track_clock.hpp"

#include <algorithm>
#include <cstdlib>

namespace record {

namespace {

constexpr std::int64_t kStep = 1'000;  // between frames that say the same time, or go back
constexpr std::int64_t kMillion = 1'000'000;
constexpr std::int64_t kLate = 1'000'000'000;  // a burst is over by then

}  // namespace

TrackClock::TrackClock(Settings settings) noexcept : settings_(settings) {}

// Of a frame without pts: where the one before ended.
std::int64_t TrackClock::own_time(const FrameTimes& frame) const noexcept {
  return frame.pts_ns != reel::kNoTime ? frame.pts_ns : next_own_ns_;
}

void TrackClock::anchor(std::int64_t own_ns, std::int64_t media_ns) noexcept {
  offset_ns_ = media_ns - own_ns;
  correction_ns_ = corrected_ns_ = 0;
  has_window_ = false;
  first_error_ns_.reset();
  late_since_ns_.reset();
}

// A frame is seen late, never early: the least error of a window is that of the clocks, whatever held the
// other frames up.
void TrackClock::measure(std::int64_t own_ns, std::int64_t error_ns) noexcept {
  if (!has_window_) {
    has_window_ = true;
    window_begin_ns_ = own_ns;
    window_error_ns_ = error_ns;
  }
  window_error_ns_ = std::min(window_error_ns_, error_ns);
  if (own_ns - window_begin_ns_ < settings_.window_ns) return;
  has_window_ = false;
  // As the stream would be without what was corrected so far.
  const std::int64_t plain_ns = window_error_ns_ + corrected_ns_;
  if (!first_error_ns_) {
    first_error_ns_ = plain_ns;
    first_error_own_ns_ = own_ns;
  } else {
    drift_ppm_ = -static_cast<double>(plain_ns - *first_error_ns_) * 1e6 /
                 static_cast<double>(own_ns - first_error_own_ns_);
  }
  correction_ns_ = window_error_ns_;
}

// Little by little, so that no frame and no block of sound is longer or shorter than anybody notices.
void TrackClock::correct(std::int64_t elapsed_ns) noexcept {
  const std::int64_t most_ns = std::max<std::int64_t>(0, elapsed_ns) * settings_.slew_ppm / kMillion;
  const std::int64_t step_ns = std::clamp(correction_ns_, -most_ns, most_ns);
  offset_ns_ += step_ns;
  corrected_ns_ += step_ns;
  correction_ns_ -= step_ns;
  if (has_window_) window_error_ns_ -= step_ns;
}

bool TrackClock::jumps(const FrameTimes& frame, std::int64_t own_ns, std::int64_t error_ns) noexcept {
  if (std::abs(error_ns) <= settings_.jump_ns) {
    late_since_ns_.reset();
    return false;
  }
  // Seen before it was: its own time is wrong.
  if (error_ns < 0 || frame.discont || frame.capture_ns != reel::kNoTime) return true;
  if (!late_since_ns_) late_since_ns_ = own_ns;
  return own_ns - *late_since_ns_ >= kLate || own_ns < *late_since_ns_;
}

MediaTime TrackClock::place(const FrameTimes& frame) noexcept {
  const std::int64_t seen_ns =
      (frame.capture_ns != reel::kNoTime ? frame.capture_ns : frame.arrived_ns) - settings_.anchor_ns;
  // Nothing but when it was seen tells when it was.
  const bool timeless = frame.pts_ns == reel::kNoTime && frame.duration_ns <= 0;
  const std::int64_t own_ns = timeless ? seen_ns - offset_ns_ : own_time(frame);
  MediaTime made;
  if (!begun_) {
    anchor(own_ns, seen_ns);
  } else if (jumps(frame, own_ns, seen_ns - (own_ns + offset_ns_))) {
    made.jumped = true;
    ++jumps_;
    anchor(own_ns, seen_ns);
  } else {
    correct(own_ns - last_own_ns_);
    measure(own_ns, seen_ns - (own_ns + offset_ns_));
  }
  made.time_ns = own_ns + offset_ns_;
  if (frame.dts_ns != reel::kNoTime) made.decode_ns = frame.dts_ns + offset_ns_;
  if (begun_ && !frame.reordered) made.time_ns = std::max(made.time_ns, last_ns_ + kStep);
  begun_ = true;
  last_ns_ = made.time_ns;
  last_own_ns_ = own_ns;
  next_own_ns_ = own_ns + std::max<std::int64_t>(0, frame.duration_ns);
  return made;
}

std::optional<double> TrackClock::drift_ppm() const noexcept {
  return drift_ppm_;
}

}  // namespace record
