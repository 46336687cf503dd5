#include "bus_message.hpp"

#include <fmt/format.h>

#include <reel/gst/pointers.hpp>

namespace reel::gst {
namespace {

struct Parsed {
  Ptr<GError> error;
  Text details;
};

Parsed parse(GstMessage* message) {
  GError* error = nullptr;
  gchar* details = nullptr;
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_WARNING: gst_message_parse_warning(message, &error, &details); break;
    case GST_MESSAGE_INFO: gst_message_parse_info(message, &error, &details); break;
    default: gst_message_parse_error(message, &error, &details); break;
  }
  return {Ptr<GError>(error), Text(details)};
}

std::string source_of(GstMessage* message) {
  GstObject* const source = GST_MESSAGE_SRC(message);
  if (source == nullptr) return "the pipeline";
  GstElementFactory* const factory =
      GST_IS_ELEMENT(source) ? gst_element_get_factory(GST_ELEMENT(source)) : nullptr;
  return factory == nullptr ? GST_OBJECT_NAME(source)
                            : fmt::format("{} ({})", GST_OBJECT_NAME(source), GST_OBJECT_NAME(factory));
}

// Elements put the place in their source and their own path in front of what they have to say.
std::string without_place(std::string details) {
  const std::size_t line_end = details.find('\n');
  if (details.find("): ") != std::string::npos)
    details = line_end == std::string::npos ? std::string() : details.substr(line_end + 1);
  while (!details.empty() && details.back() == '\n') details.pop_back();
  return details;
}

}  // namespace

std::string text_of(GstMessage* message) {
  const Parsed parsed = parse(message);
  const std::string details = without_place(parsed.details ? parsed.details.get() : "");
  return fmt::format("{}: {}{}", source_of(message), parsed.error->message,
                     details.empty() ? "" : fmt::format(" [{}]", details));
}

Error error_of(GstMessage* message) {
  const Parsed parsed = parse(message);
  const GError& error = *parsed.error;
  const bool lacking = (error.domain == GST_CORE_ERROR && error.code == GST_CORE_ERROR_MISSING_PLUGIN) ||
                       (error.domain == GST_STREAM_ERROR && error.code == GST_STREAM_ERROR_CODEC_NOT_FOUND);
  return Error(lacking ? ErrorCode::unsupported : ErrorCode::io, text_of(message));
}

}  // namespace reel::gst
