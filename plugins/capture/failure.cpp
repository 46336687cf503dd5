#include "failure.hpp"

#include <gst/pbutils/missing-plugins.h>

#include <reel/gst/element.hpp>

namespace capture {

namespace {

using reel::Error;
using reel::ErrorCode;

struct Parsed {
  reel::gst::Ptr<GError> error;
  std::string text;  // with the element's name
};

Parsed parse(GstMessage* message) {
  GError* error = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING)
    gst_message_parse_warning(message, &error, nullptr);
  else
    gst_message_parse_error(message, &error, nullptr);
  Parsed parsed{reel::gst::Ptr<GError>(error), error->message};
  while (!parsed.text.empty() && parsed.text.back() == '.') parsed.text.pop_back();
  if (GST_MESSAGE_SRC(message) != nullptr)
    parsed.text += std::string(" (") + GST_MESSAGE_SRC_NAME(message) + ")";
  return parsed;
}

bool is_no_media(const GError& error) {
  return error.domain == GST_STREAM_ERROR &&
         (error.code == GST_STREAM_ERROR_TYPE_NOT_FOUND || error.code == GST_STREAM_ERROR_WRONG_TYPE);
}

}  // namespace

MissingPlugin read_missing_plugin(GstMessage* message) {
  MissingPlugin missing;
  missing.description = reel::gst::Text(gst_missing_plugin_message_get_description(message)).get();
  const GValue* detail = gst_structure_get_value(gst_message_get_structure(message), "detail");
  if (detail != nullptr && GST_VALUE_HOLDS_CAPS(detail) && gst_caps_get_size(gst_value_get_caps(detail)) > 0)
    missing.media_type = gst_structure_get_name(gst_caps_get_structure(gst_value_get_caps(detail), 0));
  return missing;
}

bool says_missing_plugin(GstMessage* message) {
  const Parsed parsed = parse(message);
  const GError& error = *parsed.error;
  return (error.domain == GST_CORE_ERROR && error.code == GST_CORE_ERROR_MISSING_PLUGIN) ||
         (error.domain == GST_STREAM_ERROR && error.code == GST_STREAM_ERROR_CODEC_NOT_FOUND);
}

std::string text_of(GstMessage* message) {
  return parse(message).text;
}

Reason read_reason(GstMessage* message) {
  GError* raw = nullptr;
  gchar* raw_debug = nullptr;
  gst_message_parse_error(message, &raw, &raw_debug);
  const reel::gst::Ptr<GError> error(raw);
  const reel::gst::Text debug(raw_debug);
  Reason reason{error->domain, error->code, error->message};
  // "file.c(12): function (): /path/of/element:\nreason"
  const std::string more = debug ? debug.get() : "";
  const std::size_t line = more.rfind('\n');
  if (line != std::string::npos && line + 1 < more.size()) reason.text += " " + more.substr(line + 1);
  return reason;
}

Error missing_plugin_error(const std::string& uri, const MissingPlugin& missing) {
  const std::string text = "cannot play \"" + uri + "\": ";
  // Demuxers call what they do not know "video/x-avi-unknown".
  if (missing.media_type.find("unknown") != std::string::npos)
    return Error(ErrorCode::unsupported, text + "its codec is not known to GStreamer (" + missing.media_type +
                                             "); re-encode it with another");
  if (missing.media_type.empty())
    return Error(ErrorCode::unsupported,
                 text + "GStreamer has no " + missing.description + "; install the plugin that has it");
  return Error(ErrorCode::unsupported, text + "GStreamer has no " + missing.description + " for " +
                                           missing.media_type + "; install the Debian package " +
                                           std::string(reel::gst::package_for_media(missing.media_type)) +
                                           ", or re-encode the clip");
}

Error playback_error(const std::string& uri, GstMessage* message, const std::string& defect) {
  const Parsed parsed = parse(message);
  const std::string text = "cannot play \"" + uri + "\": ";
  if (!defect.empty()) return Error(ErrorCode::bad_config, text + defect + " [" + parsed.text + "]");
  if (is_no_media(*parsed.error))
    return Error(ErrorCode::bad_config, text + "it is no media file that GStreamer knows [" + parsed.text +
                                            "]; check the option uri, or convert the file");
  if (parsed.error->domain == GST_RESOURCE_ERROR)
    return Error(ErrorCode::io, text + parsed.text + "; check that it can be read");
  return Error(ErrorCode::bad_config,
               text + parsed.text + "; it is damaged, or no media file: copy it again, or convert it");
}

Error no_first_frame_error(const std::string& uri, std::chrono::seconds waited, const std::string& defect) {
  if (!defect.empty()) return Error(ErrorCode::bad_config, "cannot play \"" + uri + "\": " + defect);
  return Error(ErrorCode::timeout, "\"" + uri + "\" gave no first frame within " +
                                       std::to_string(waited.count()) + " s: is its disk or server slow?");
}

}  // namespace capture
