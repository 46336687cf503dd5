#include "playback.hpp"

#include "element.hpp"

#include <chrono>

#include <gst/pbutils/missing-plugins.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/format/video_format.hpp>
#include <reel/gst/slot_pool.hpp>

namespace capture {

namespace {

using reel::Error;
using reel::ErrorCode;

constexpr const char* kPadsComplete = "reel-pads-complete";
constexpr const char* kWake = "reel-wake";
constexpr std::chrono::seconds kPrerollTimeout{30};
constexpr std::chrono::seconds kDamagedPrerollTimeout{10};

std::string video_caps(const Conversion& conversion) {
  std::string formats;
  for (const reel::PixelFormat pixel : reel::all_pixel_formats()) {
    if (!formats.empty()) formats += ", ";
    formats += reel::to_string(pixel);
  }
  return "video/x-raw, format=" + (conversion.pixel == "own" ? "{ " + formats + " }" : conversion.pixel);
}

std::string audio_caps(const Conversion& conversion) {
  std::string caps = "audio/x-raw, layout=interleaved, format=" +
                     (conversion.sample == "own" ? "{ S16LE, S32LE, F32LE }" : conversion.sample);
  if (conversion.rate_hz != 0) caps += ", rate=" + std::to_string(conversion.rate_hz);
  if (conversion.channels != 0) caps += ", channels=" + std::to_string(conversion.channels);
  return caps;
}

void post(GstElement* from, const char* name) {
  gst_element_post_message(from,
                           gst_message_new_application(GST_OBJECT(from), gst_structure_new_empty(name)));
}

}  // namespace

Playback::Playback(const Source& source, const Wanted& wanted, const Conversion& conversion, bool realtime,
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
  if (wanted.video) {
    video_ = add_chain({"queue", "videoconvert"}, video_caps(conversion), realtime);
    const reel::gst::Ptr<GstPad> pad(gst_element_get_static_pad(video_.sink, "sink"));
    reel::gst::offer_slots(pad.get(), video_slots_);
  }
  if (wanted.audio)
    audio_ = add_chain({"queue", "audioconvert", "audioresample"}, audio_caps(conversion), realtime);
  g_signal_connect(element.get(), "pad-added", G_CALLBACK(on_pad_added), this);
  g_signal_connect(element.get(), "no-more-pads", G_CALLBACK(on_no_more_pads), this);
  gst_element_foreach_src_pad(
      element.get(),
      [](GstElement*, GstPad* pad, gpointer self) -> gboolean {
        static_cast<Playback*>(self)->link_pad(pad);
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

Playback::Chain Playback::add_chain(const std::vector<const char*>& factories, const std::string& caps_text,
                                    bool realtime) {
  // A few frames decoded ahead keep the pace where single frames take longer than their time.
  constexpr guint kDecodedAhead = 3;
  Chain chain;
  GstElement* last = nullptr;
  const auto append = [&](const char* factory) {
    const reel::gst::Ptr<GstElement> element = new_element(factory);
    gst_bin_add(GST_BIN(pipeline_.get()), element.get());
    if (last != nullptr) gst_element_link(last, element.get());
    last = element.get();  // the pipeline keeps it
    return last;
  };
  for (const char* factory : factories) {
    append(factory);
    if (chain.entry == nullptr) chain.entry = last;
  }
  g_object_set(chain.entry, "max-size-buffers", kDecodedAhead, "max-size-bytes", 0u, "max-size-time",
               guint64{0}, nullptr);
  const reel::gst::Ptr<GstCaps> caps(gst_caps_from_string(caps_text.c_str()));
  g_object_set(append("capsfilter"), "caps", caps.get(), nullptr);
  chain.sink = append("appsink");
  g_object_set(chain.sink, "sync", realtime ? TRUE : FALSE, "max-buffers", 1u, "enable-last-sample", FALSE,
               nullptr);
  return chain;
}

void Playback::link_pad(GstPad* pad) {
  const reel::gst::Ptr<GstCaps> caps(gst_pad_query_caps(pad, nullptr));
  if (gst_caps_is_empty(caps.get()) || gst_caps_is_any(caps.get())) return;
  const GstStructure* structure = gst_caps_get_structure(caps.get(), 0);
  const Chain& chain = gst_structure_has_name(structure, "video/x-raw") ? video_ : audio_;
  const bool raw =
      gst_structure_has_name(structure, "video/x-raw") || gst_structure_has_name(structure, "audio/x-raw");
  if (!raw || chain.entry == nullptr) return;
  const reel::gst::Ptr<GstPad> entry(gst_element_get_static_pad(chain.entry, "sink"));
  if (gst_pad_is_linked(entry.get()) != FALSE) return;  // a second picture or sound track
  const GstPadLinkReturn result = gst_pad_link(pad, entry.get());
  if (GST_PAD_LINK_FAILED(result))
    GST_ELEMENT_ERROR(pipeline_.get(), STREAM, FORMAT, ("no way to convert what the decoder makes"),
                      ("%s", gst_pad_link_get_name(result)));
}

void Playback::on_pad_added(GstElement* /*element*/, GstPad* pad, gpointer self) {
  if (GST_PAD_IS_SRC(pad)) static_cast<Playback*>(self)->link_pad(pad);
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
  gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
}

void Playback::wait(int timeout_ms) {
  GstClockTime timeout = static_cast<GstClockTime>(timeout_ms) * GST_MSECOND;
  while (const auto message = reel::gst::Ptr<GstMessage>(gst_bus_timed_pop(bus_.get(), timeout))) {
    handle(message.get());
    timeout = 0;
  }
}

void Playback::wake() noexcept {
  post(pipeline_.get(), kWake);
}

bool Playback::handle(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ASYNC_DONE: return GST_MESSAGE_SRC(message) == GST_OBJECT(pipeline_.get());
    case GST_MESSAGE_ERROR: fail(message);
    case GST_MESSAGE_WARNING:
      if (!says_missing_plugin(message)) reel::log_warning("\"" + source_.uri() + "\": " + text_of(message));
      break;
    case GST_MESSAGE_ELEMENT:
      if (gst_is_missing_plugin_message(message) != FALSE) missing_.push_back(read_missing_plugin(message));
      break;
    case GST_MESSAGE_APPLICATION:
      if (gst_message_has_name(message, kPadsComplete) != FALSE) check_links();
      break;
    default: break;
  }
  return false;
}

void Playback::fail(GstMessage* message) {
  if (says_missing_plugin(message)) {
    if (!missing_.empty()) throw missing_plugin_error(source_.uri(), missing_.front());
    check_links();
  }
  throw playback_error(source_.uri(), message, source_.defect());
}

void Playback::check_links() {
  if (const auto error = missing_link(video_, "pictures", "video")) throw *error;
  const auto error = missing_link(audio_, "sound", "audio");
  if (!error) return;
  if (!audio_optional_) throw *error;
  const bool none = error->code() == ErrorCode::bad_config;
  reel::log_warning((none ? "\"" + source_.uri() + "\" has no sound" : error->message()) +
                    ": the stream of the output 'audio' ends at once");
  silent_ = true;
}

std::optional<Error> Playback::missing_link(const Chain& chain, const char* what, const char* port) const {
  if (chain.entry == nullptr) return std::nullopt;
  const reel::gst::Ptr<GstPad> pad(gst_element_get_static_pad(chain.entry, "sink"));
  if (gst_pad_is_linked(pad.get()) != FALSE) return std::nullopt;
  for (const MissingPlugin& plugin : missing_)
    if (plugin.media_type.rfind(std::string(port) + "/", 0) == 0)
      return missing_plugin_error(source_.uri(), plugin);
  return Error(ErrorCode::bad_config, "\"" + source_.uri() + "\" has no " + what + ", and the output '" +
                                          port + "' is connected: take '" + port +
                                          "' out of the stage's 'out', or play a clip with " + what);
}

}  // namespace capture
