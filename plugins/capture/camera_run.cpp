#include "camera_run.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include <reel/base/clock.hpp>
#include <reel/base/log.hpp>
#include <reel/gst/clock.hpp>

namespace capture {

namespace {

using reel::Error;
using reel::ErrorCode;

constexpr std::int64_t kMs = 1'000'000;  // nanoseconds
constexpr int kStep_ms = 100;            // how late a stop may be noticed
// Frames have come for so long: the next loss is a new one, which is answered at once.
constexpr std::int64_t kSettled_ns = 1'000 * kMs;
constexpr std::int64_t kTellOfDropsEvery_ns = 30'000 * kMs;

}  // namespace

CameraRun::CameraRun(const Source& source, const CameraPlan& plan, reel::StageContext& context)
    : source_(source),
      plan_(plan),
      context_(context),
      present_(context.metrics().gauge("connected", "1 while the camera sends frames, 0 while it is away")),
      connects_(
          context.metrics().counter("connections", "times that the camera was reached and sent a frame")),
      losses_(context.metrics().counter("failed_connections",
                                        "times that the camera could not be reached, or was lost")),
      backoff_(plan.least_delay_ms, plan.most_delay_ms),
      absence_(source.uri()),
      outputs_(context, false) {
  timeline_.camera = true;
  present_.set(0);
}

bool CameraRun::produce() {
  if (context_.stopping()) return false;
  const std::int64_t wait_ns = next_try_ns_ - reel::monotonic_ns();
  if (!playback_ && wait_ns > 0) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(wait_ns, kStep_ms * kMs)));
    return true;
  }
  try {
    if (!playback_) connect();
    return carry();
  } catch (const Error& error) {
    if (is_final(error)) {
      close();
      throw;
    }
    lost(error);
    return true;
  }
}

// Running time goes on from one connection to the next: they have the first one's base time.
void CameraRun::connect() {
  connected_ns_ = reel::monotonic_ns();
  first_frame_ns_ = 0;
  dropped_ = {};
  source_.check();
  playback_ = std::make_unique<Playback>(source_, outputs_.wanted(plan_.audio_optional), plan_.conversion,
                                         Pace::camera, nullptr);
  if (base_time_ == GST_CLOCK_TIME_NONE) {
    base_time_ = gst_clock_get_time(playback_->clock());
    timeline_.monotonic_offset_ns =
        static_cast<std::int64_t>(base_time_) + reel::gst::monotonic_minus(playback_->clock());
  }
  timeline_.continues = outputs_.any_published();
  playback_->play(base_time_);
  outputs_.flow(*playback_, timeline_);
}

bool CameraRun::carry() {
  playback_->wait(kStep_ms);
  if (playback_->silent() && outputs_.wanted(true).any_audio()) {
    outputs_.silence();
    outputs_.end_silent();
  }
  look_at_frames();
  switch (outputs_.flowing()) {
    case Outputs::Flow::stopped: return false;
    case Outputs::Flow::ended: {
      playback_->wait(0);  // an error that came together with the end
      if (!plan_.reconnect) return false;
      const std::string why = playback_->take_warning();
      throw Error(ErrorCode::closed, "\"" + source_.uri() + "\": it has ended its stream" +
                                         (why.empty() ? "" : " [" + why + "]"));
    }
    case Outputs::Flow::on: break;
  }
  check_stall();
  return true;
}

void CameraRun::look_at_frames() {
  const std::int64_t now_ns = reel::monotonic_ns();
  bool any = false;
  for (const Media media : kAllMedia) any = any || playback_->branches().arrived_ns(media) != 0;
  if (!any) return;
  if (first_frame_ns_ == 0) {
    first_frame_ns_ = now_ns;
    absence_.ended(now_ns);
    present_.set(1);
    connects_.add();
  }
  if (now_ns - first_frame_ns_ >= kSettled_ns) backoff_.reset();
  tell_of_drops();
}

void CameraRun::tell_of_drops() {
  const std::int64_t now_ns = reel::monotonic_ns();
  if (drops_told_ns_ != 0 && now_ns - drops_told_ns_ < kTellOfDropsEvery_ns) return;
  std::string all;
  for (const Media media : kAllMedia) {
    const std::uint64_t dropped = playback_->branches().dropped(media);
    if (dropped == dropped_[media]) continue;
    all += (all.empty() ? "" : ", ") + std::to_string(dropped - dropped_[media]) + " for '" + port_of(media) +
           "'";
    dropped_[media] = dropped;
  }
  if (all.empty()) return;
  reel::log_warning("\"" + source_.uri() + "\": frames were dropped that could not be passed on in time (" +
                    all +
                    "): a stream without live: true waits for its readers, or this machine is too busy");
  drops_told_ns_ = now_ns;
}

// Of each output: a camera whose sound goes on while its picture stands still is of no use either.
void CameraRun::check_stall() const {
  if (plan_.stall_timeout_ms == 0) return;
  const std::int64_t now_ns = reel::monotonic_ns();
  for (const Media media : kAllMedia) {
    if (outputs_.publisher(media) == nullptr) continue;
    const std::int64_t last_ns = std::max(connected_ns_, playback_->branches().arrived_ns(media));
    if (now_ns - last_ns < plan_.stall_timeout_ms * kMs) continue;
    throw Error(ErrorCode::timeout, "\"" + source_.uri() + "\": no frame for the output '" +
                                        outputs_.publisher(media)->output().port() + "' has come for " +
                                        std::to_string(plan_.stall_timeout_ms) + " ms (stall_timeout)");
  }
}

// What a later try cannot cure. A camera that was good before may be so again.
bool CameraRun::is_final(const Error& error) const noexcept {
  switch (error.code()) {
    case ErrorCode::bad_config:
    case ErrorCode::unsupported: return !outputs_.any_published();
    case ErrorCode::bad_argument:
    case ErrorCode::no_memory:
    case ErrorCode::plugin:
    case ErrorCode::internal: return true;
    default: return !plan_.reconnect;
  }
}

void CameraRun::lost(const Error& error) {
  close();
  present_.set(0);
  losses_.add();
  const std::int64_t delay_ms = backoff_.next_ms();
  next_try_ns_ = reel::monotonic_ns() + delay_ms * kMs;
  absence_.failed(error.message(), delay_ms, reel::monotonic_ns());
}

// Pumps first (they use the playback), then GStreamer to NULL.
void CameraRun::close() noexcept {
  outputs_.stop();
  playback_.reset();
}

}  // namespace capture
