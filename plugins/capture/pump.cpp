#include "pump.hpp"

#include <utility>

#include <gst/base/gstbasesink.h>
#include <gst/video/video.h>

#include <reel/gst/pointers.hpp>

namespace capture {

Pump::Pump(Publisher& publisher, GstAppSink* sink, std::function<void()> on_end)
    : publisher_(publisher), sink_(sink), on_end_(std::move(on_end)), thread_([this] { run(); }) {}

Pump::~Pump() {
  quit_.store(true, std::memory_order_relaxed);
  reel::FrameWriter& writer = publisher_.output().writer();
  const bool interrupts = !ended();
  if (interrupts) writer.interrupt();
  thread_.join();
  if (interrupts) writer.resume();
}

void Pump::rethrow() const {
  if (failure_) std::rethrow_exception(failure_);
}

void Pump::run() noexcept {
  try {
    carry();
  } catch (const reel::StopRequested&) {
    stopped_ = true;
  } catch (...) {
    failure_ = std::current_exception();
  }
  ended_.store(true, std::memory_order_release);
  on_end_();
}

void Pump::carry() {
  while (!quit_.load(std::memory_order_relaxed)) {
    ask_for_key_frame();
    const reel::gst::Ptr<GstSample> sample(gst_app_sink_try_pull_sample(sink_, 100 * GST_MSECOND));
    if (sample)
      publisher_.publish(sample.get());
    else if (gst_app_sink_is_eos(sink_) != FALSE)
      return;
  }
  stopped_ = true;
}

// What can give one does: an encoder; a camera that takes feedback (RFC 4585, AVPF). Others send their next
// when it is due.
void Pump::ask_for_key_frame() noexcept {
  if (publisher_.media() == Media::video_encoded && publisher_.output().writer().take_key_frame_request())
    gst_pad_push_event(GST_BASE_SINK_PAD(sink_),
                       gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
}

}  // namespace capture
