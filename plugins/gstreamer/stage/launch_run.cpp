#include "launch_run.hpp"

#include <atomic>
#include <deque>
#include <optional>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/stage/supervised.hpp>

#include "bus_message.hpp"
#include "counters.hpp"
#include "launch.hpp"

namespace reel::gst {
namespace {

constexpr GstClockTime kLook = 100 * GST_MSECOND;  // between two looks at signals and counters
constexpr std::int64_t kStopLimit_ns = 1'000'000'000;
constexpr int kQuietLooks = 3;  // without a frame, of an input whose writer is gone, until it has ended

// To NULL at the end of its life, whatever happens.
class Playing {
 public:
  explicit Playing(Ptr<GstElement> pipeline) : pipeline_(std::move(pipeline)) {}
  Playing(const Playing&) = delete;
  Playing& operator=(const Playing&) = delete;
  ~Playing() { gst_element_set_state(get(), GST_STATE_NULL); }
  [[nodiscard]] GstElement* get() const noexcept { return pipeline_.get(); }

 private:
  Ptr<GstElement> pipeline_;
};

// From another thread: an element takes an end of stream only between two buffers, and may have to wait for
// room downstream.
void send_end(GstElement* element) {
  gst_element_call_async(
      element, [](GstElement* asked, gpointer) { gst_element_send_event(asked, gst_event_new_eos()); },
      nullptr, nullptr);
}

// An input whose writer's process is gone for good, as the supervisor says: it has ended once its reelsrc
// waits in vain.
class Orphan {
 public:
  // Once every kLook.
  void look(GstElement* source, std::uint64_t frames) {
    if (told_ || source == nullptr) return;
    if (frames != std::exchange(frames_, frames)) quiet_ = 0;
    if (!asking_) ask(source);
    // acquire: pairs with the probe's release.
    if (idle_.exchange(false, std::memory_order_acquire)) {
      asking_ = false;
      ++quiet_;
    }
    if (quiet_ < kQuietLooks) return;
    told_ = true;
    send_end(source);
  }

 private:
  // Called at once when no buffer is on its way downstream, else as soon as none is.
  void ask(GstElement* source) {
    asking_ = true;
    const Ptr<GstPad> pad(gst_element_get_static_pad(source, "src"));
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_IDLE,
        [](GstPad*, GstPadProbeInfo*, gpointer idle) {
          static_cast<std::atomic<bool>*>(idle)->store(true, std::memory_order_release);
          return GST_PAD_PROBE_REMOVE;
        },
        &idle_, nullptr);
  }

  std::atomic<bool> idle_{false};
  bool asking_ = false, told_ = false;
  std::uint64_t frames_ = 0;
  int quiet_ = 0;
};

class LaunchRun {
 public:
  LaunchRun(const StageSetup& setup, const StopSignal& stop, StagePage& page)
      : setup_(setup),
        stop_(stop),
        page_(page),
        orphans_(setup.inputs.size()),
        playing_(parse(launch_of(setup))),
        bus_(gst_element_get_bus(playing_.get())),
        counters_(playing_.get(), setup, page) {}

  void run() {
    const GstStateChangeReturn begun = gst_element_set_state(playing_.get(), GST_STATE_PLAYING);
    if (begun == GST_STATE_CHANGE_FAILURE) fail();
    set_state(page_, StageState::running);
    while (!ended_) {
      take_messages();
      counters_.refresh();
      end_orphans();
      obey();
    }
  }

 private:
  // What the element that refused to start said of it.
  [[noreturn]] void fail() {
    const Ptr<GstMessage> message(gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR));
    if (message) throw error_of(message.get());
    throw Error(ErrorCode::io, "the launch line cannot be played, and no element says why");
  }

  void take_messages() {
    constexpr auto kWanted = static_cast<GstMessageType>(
        GST_MESSAGE_ERROR | GST_MESSAGE_EOS | GST_MESSAGE_WARNING | GST_MESSAGE_INFO | GST_MESSAGE_LATENCY |
        GST_MESSAGE_CLOCK_LOST | GST_MESSAGE_REQUEST_STATE);
    Ptr<GstMessage> message(gst_bus_timed_pop_filtered(bus_.get(), kLook, kWanted));
    for (; message && !ended_; message.reset(gst_bus_pop_filtered(bus_.get(), kWanted))) take(message.get());
  }

  void take(GstMessage* message) {
    switch (GST_MESSAGE_TYPE(message)) {
      case GST_MESSAGE_ERROR: counters_.refresh(); throw error_of(message);
      case GST_MESSAGE_EOS: ended_ = true; break;
      case GST_MESSAGE_WARNING: log_warning(text_of(message)); break;
      case GST_MESSAGE_INFO: log_info(text_of(message)); break;
      case GST_MESSAGE_LATENCY: gst_bin_recalculate_latency(GST_BIN(playing_.get())); break;
      case GST_MESSAGE_CLOCK_LOST:  // another is chosen on the way to PLAYING
        gst_element_set_state(playing_.get(), GST_STATE_PAUSED);
        gst_element_set_state(playing_.get(), GST_STATE_PLAYING);
        break;
      case GST_MESSAGE_REQUEST_STATE: {
        GstState wanted = GST_STATE_PLAYING;
        gst_message_parse_request_state(message, &wanted);
        gst_element_set_state(playing_.get(), wanted);
        break;
      }
      default: break;
    }
  }

  // SYNC page.ended_inputs: acquire, pairs with the supervisor's release once the writer's process was
  // reaped.
  void end_orphans() {
    const std::uint32_t gone = page_.ended_inputs.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < orphans_.size(); ++i)
      if ((gone >> i & 1) != 0)
        orphans_[i].look(counters_.source(i), page_.inputs[i].frames.load(std::memory_order_relaxed));
  }

  void obey() {
    const bool source = setup_.inputs.empty();
    if (stop_.draining()) set_state(page_, StageState::draining);
    // It waits for readers: an end of stream would wait behind the first frame.
    if (source && stop_.draining() && !setup_.outputs.empty() && !counters_.published()) {
      ended_ = true;
      return;
    }
    // Another process goes on with its streams: they are left without an end.
    const std::uint32_t followed = page_.kept_inputs.load(std::memory_order_relaxed) |
                                   page_.left_outputs.load(std::memory_order_relaxed);
    if (followed != 0 && (stop_.stopped() || (source && stop_.draining()))) {
      ended_ = true;
      return;
    }
    if (!asked_ns_ && (stop_.stopped() || (source && stop_.draining()))) {
      asked_ns_ = monotonic_ns();
      send_end(playing_.get());
    }
    if (!stop_.stopped()) return;
    if (!stopped_ns_) stopped_ns_ = monotonic_ns();
    if (monotonic_ns() - *stopped_ns_ >= kStopLimit_ns) ended_ = true;
  }

  const StageSetup& setup_;
  const StopSignal& stop_;
  StagePage& page_;
  std::deque<Orphan> orphans_;  // in front of the pipeline, whose probes write into them
  Playing playing_;
  Ptr<GstBus> bus_;
  Counters counters_;
  std::optional<std::int64_t> asked_ns_, stopped_ns_;
  bool ended_ = false;
};

}  // namespace

void run_launch(const StageSetup& setup, const StopSignal& stop, StagePage& page) {
  LaunchRun(setup, stop, page).run();
}

}  // namespace reel::gst
