#include "playback.hpp"

#include <chrono>

#include <gst/pbutils/missing-plugins.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/gst/slot_pool.hpp>

namespace capture {

namespace {

using reel::Error;
using reel::ErrorCode;

constexpr const char* kPadsComplete = "reel-pads-complete";
constexpr const char* kWake = "reel-wake";
constexpr std::chrono::seconds kPrerollTimeout{30};
constexpr std::chrono::seconds kDamagedPrerollTimeout{10};

void post(GstElement* from, const char* name) {
  gst_element_post_message(from,
                           gst_message_new_application(GST_OBJECT(from), gst_structure_new_empty(name)));
}

const char* what_of(Media media) {
  switch (media) {
    case Media::video: return "pictures";
    case Media::audio: return "sound";
    case Media::video_encoded: return "encoded pictures";
    case Media::audio_encoded: break;
  }
  return "encoded sound";
}

}  // namespace

Playback::Playback(const Source& source, const Wanted& wanted, const Conversion& conversion, Pace pace,
                   std::shared_ptr<reel::gst::StreamSlots> video_slots)
    : source_(source),
      audio_optional_(wanted.audio_optional),
      pipeline_(static_cast<GstElement*>(gst_object_ref_sink(gst_pipeline_new(nullptr)))),
      bus_(gst_element_get_bus(pipeline_.get())),
      clock_(gst_system_clock_obtain()),
      video_slots_(std::move(video_slots)) {
  gst_pipeline_use_clock(GST_PIPELINE(pipeline_.get()), clock_.get());
  const reel::gst::Ptr<GstElement> element = source.make_element(wanted);
  gst_bin_add(GST_BIN(pipeline_.get()), element.get());
  branches_ = std::make_unique<Branches>(pipeline_.get(), wanted, conversion, pace, [this] { wake(); });
  if (video_slots_ && branches_->sink(Media::video) != nullptr) {
    const reel::gst::Ptr<GstPad> pad(
        gst_element_get_static_pad(GST_ELEMENT(branches_->sink(Media::video)), "sink"));
    reel::gst::offer_slots(pad.get(), video_slots_);
  }
  g_signal_connect(element.get(), "pad-added", G_CALLBACK(on_pad_added), this);
  g_signal_connect(element.get(), "no-more-pads", G_CALLBACK(on_no_more_pads), this);
  gst_element_foreach_src_pad(
      element.get(),
      [](GstElement*, GstPad* pad, gpointer self) -> gboolean {
        static_cast<Playback*>(self)->branches_->link(pad);
        return TRUE;
      },
      this);
}

// A decoder that waits for a slot would not hear of the stop.
Playback::~Playback() {
  if (video_slots_) video_slots_->refuse(true);
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  if (video_slots_) video_slots_->refuse(false);
}

void Playback::on_pad_added(GstElement* /*element*/, GstPad* pad, gpointer self) {
  if (GST_PAD_IS_SRC(pad)) static_cast<Playback*>(self)->branches_->link(pad);
}

void Playback::on_no_more_pads(GstElement* /*element*/, gpointer self) {
  post(static_cast<Playback*>(self)->pipeline_.get(), kPadsComplete);
}

Playback::Preroll Playback::preroll(const std::function<bool()>& stopping) {
  // decodebin can swallow the error of a demuxer that fails while it is being connected: a file known to be
  // damaged that gives nothing will not give anything later.
  const std::string defect = source_.defect();
  const auto patience = defect.empty() ? kPrerollTimeout : kDamagedPrerollTimeout;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const GstStateChangeReturn result = gst_element_set_state(pipeline_.get(), GST_STATE_PAUSED);
  while (!stopping()) {
    const reel::gst::Ptr<GstMessage> message(gst_bus_timed_pop(bus_.get(), 50 * GST_MSECOND));
    if (message && handle(message.get())) return Preroll::ready;
    if (silent_) return Preroll::silent;
    if (!message && result == GST_STATE_CHANGE_FAILURE)
      throw Error(ErrorCode::io, "GStreamer cannot open \"" + source_.uri() + "\" and does not say why");
    if (std::chrono::steady_clock::now() > deadline)
      throw no_first_frame_error(source_.uri(), patience, defect);
  }
  return Preroll::stopped;
}

void Playback::play(GstClockTime base_time) {
  gst_element_set_start_time(pipeline_.get(), GST_CLOCK_TIME_NONE);  // the base time is ours to set
  gst_element_set_base_time(pipeline_.get(), base_time);
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) return;
  wait(0);
  throw Error(ErrorCode::io, "GStreamer cannot open \"" + source_.uri() + "\" and does not say why");
}

void Playback::wait(int timeout_ms) {
  GstClockTime timeout = static_cast<GstClockTime>(timeout_ms) * GST_MSECOND;
  while (const auto message = reel::gst::Ptr<GstMessage>(gst_bus_timed_pop(bus_.get(), timeout))) {
    handle(message.get());
    timeout = 0;
  }
  constexpr std::int64_t kHeld_ns = 1'000'000'000;
  if (reel::monotonic_ns() - warned_ns_ > kHeld_ns) log_warning();
}

void Playback::log_warning() noexcept {
  if (!warning_.empty()) reel::log_warning("\"" + source_.uri() + "\": " + take_warning());
}

void Playback::wake() noexcept {
  post(pipeline_.get(), kWake);
}

bool Playback::handle(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ASYNC_DONE: return GST_MESSAGE_SRC(message) == GST_OBJECT(pipeline_.get());
    case GST_MESSAGE_ERROR: fail(message);
    case GST_MESSAGE_WARNING:
      if (says_missing_plugin(message)) break;
      log_warning();
      warning_ = source_.cleaned(text_of(message));
      warned_ns_ = reel::monotonic_ns();
      if (!source_.is_camera()) log_warning();
      break;
    case GST_MESSAGE_ELEMENT:
      if (gst_is_missing_plugin_message(message) != FALSE) missing_.push_back(read_missing_plugin(message));
      break;
    case GST_MESSAGE_APPLICATION:
      if (gst_message_has_name(message, kPadsComplete) != FALSE) check_links();
      branches_->rethrow();
      break;
    default: break;
  }
  return false;
}

void Playback::fail(GstMessage* message) {
  branches_->rethrow();
  if (says_missing_plugin(message)) {
    if (!missing_.empty()) throw missing_plugin_error(source_.uri(), missing_.front());
    check_links();
  }
  throw source_.error_of(message);
}

void Playback::check_links() {
  for (const Media media : {Media::video, Media::video_encoded})
    if (const auto error = missing_link(media)) throw *error;
  for (const Media media : {Media::audio, Media::audio_encoded}) {
    const auto error = missing_link(media);
    if (!error || silent_) continue;
    if (!audio_optional_) throw *error;
    const bool none = error->code() == ErrorCode::bad_config;
    reel::log_warning((none ? "\"" + source_.uri() + "\" has no " + what_of(media) : error->message()) +
                      ": the streams of its sound end at once");
    silent_ = true;
  }
}

std::optional<Error> Playback::missing_link(Media media) const {
  if (branches_->fed(media)) return std::nullopt;
  const std::string prefix = is_video(media) ? "video/" : "audio/";
  for (const MissingPlugin& plugin : missing_)
    if (plugin.media_type.rfind(prefix, 0) == 0) return missing_plugin_error(source_.uri(), plugin);
  const std::string port = port_of(media);
  return Error(ErrorCode::bad_config, "\"" + source_.uri() + "\" has no " + what_of(media) +
                                          ", and the output '" + port + "' is connected: take '" + port +
                                          "' out of the stage's 'out', or play a clip with " +
                                          what_of(media));
}

}  // namespace capture
