#include "gst_run.hpp"

#include <utility>

#include <reel/base/error.hpp>
#include <reel/gst/element.hpp>

namespace record {

namespace {

// "Could not encode (x264enc0): what it says to programmers", whose last line often is the reason.
std::string text_of(GstMessage* message) {
  GError* raw = nullptr;
  gchar* raw_debug = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING)
    gst_message_parse_warning(message, &raw, &raw_debug);
  else
    gst_message_parse_error(message, &raw, &raw_debug);
  const reel::gst::Ptr<GError> error(raw);
  const reel::gst::Text debug(raw_debug);
  std::string text = error->message;
  while (!text.empty() && text.back() == '.') text.pop_back();
  if (GST_MESSAGE_SRC(message) != nullptr) text += std::string(" (") + GST_MESSAGE_SRC_NAME(message) + ")";
  const std::string more = debug ? debug.get() : "";
  const std::size_t line = more.rfind('\n');
  if (line != std::string::npos && line + 1 < more.size()) text += ": " + more.substr(line + 1);
  return text;
}

}  // namespace

GstRun::GstRun(std::function<void()> on_failure)
    : on_failure_(std::move(on_failure)),
      pipeline_(static_cast<GstElement*>(gst_object_ref_sink(gst_pipeline_new(nullptr)))) {
  const reel::gst::Ptr<GstBus> bus(gst_element_get_bus(pipeline_.get()));
  gst_bus_set_sync_handler(bus.get(), &GstRun::on_message, this, nullptr);
}

GstRun::~GstRun() {
  stop();
  const reel::gst::Ptr<GstBus> bus(gst_element_get_bus(pipeline_.get()));
  gst_bus_set_sync_handler(bus.get(), nullptr, nullptr, nullptr);
}

GstElement* GstRun::add(const char* factory) {
  const reel::gst::Ptr<GstElement> element = reel::gst::new_element(factory);
  gst_bin_add(GST_BIN(pipeline_.get()), element.get());
  return element.get();
}

GstElement* GstRun::add_text(const std::string& launch) {
  GError* raw = nullptr;
  GstElement* made = gst_parse_bin_from_description(launch.c_str(), TRUE, &raw);
  const reel::gst::Ptr<GError> error(raw);
  if (made == nullptr || error)
    throw reel::Error(reel::ErrorCode::unsupported, "GStreamer cannot make \"" + launch + "\": " +
                                                        (error ? error->message : "no reason given"));
  gst_bin_add(GST_BIN(pipeline_.get()), made);
  return made;
}

void GstRun::link(GstElement* from, GstElement* to) {
  if (gst_element_link(from, to) == FALSE)
    throw reel::Error(reel::ErrorCode::internal, std::string("GStreamer does not link ") +
                                                     GST_ELEMENT_NAME(from) + " to " + GST_ELEMENT_NAME(to));
}

void GstRun::play() {
  gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
}

void GstRun::stop() noexcept {
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

std::string GstRun::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

std::string GstRun::warning() const {
  const std::lock_guard lock(mutex_);
  return warning_;
}

void GstRun::fail(std::string_view reason) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_.empty()) return;
    failure_ = reason;
  }
  if (on_failure_) on_failure_();
}

GstBusSyncReply GstRun::on_message(GstBus*, GstMessage* message, gpointer self) {
  auto& run = *static_cast<GstRun*>(self);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) run.fail(text_of(message));
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
    const std::lock_guard lock(run.mutex_);
    if (run.warning_.empty()) run.warning_ = text_of(message);
  }
  gst_message_unref(message);
  return GST_BUS_DROP;
}

}  // namespace record
