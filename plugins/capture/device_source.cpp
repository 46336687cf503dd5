#include "device_source.hpp"

#include "failure.hpp"

#include <charconv>

#include <reel/gst/element.hpp>

namespace capture {

using reel::Error;
using reel::ErrorCode;

Error DeviceSource::error_of(GstMessage* message) const {
  return Error(ErrorCode::io, "\"" + uri() + "\": " + cleaned(read_reason(message).text) + "; " + advice());
}

reel::gst::Ptr<GstElement> DeviceSource::make_bin(const reel::gst::Ptr<GstElement>& reader,
                                                  const std::string& caps_text) {
  reel::gst::Ptr<GstElement> bin(static_cast<GstElement*>(gst_object_ref_sink(gst_bin_new("device"))));
  const reel::gst::Ptr<GstElement> filter = reel::gst::new_element("capsfilter");
  const reel::gst::Ptr<GstCaps> caps(gst_caps_from_string(caps_text.c_str()));
  g_object_set(filter.get(), "caps", caps.get(), nullptr);
  gst_bin_add_many(GST_BIN(bin.get()), reader.get(), filter.get(), nullptr);
  gst_element_link(reader.get(), filter.get());
  const reel::gst::Ptr<GstPad> pad(gst_element_get_static_pad(filter.get(), "src"));
  gst_element_add_pad(bin.get(), gst_ghost_pad_new("src", pad.get()));
  return bin;
}

std::string framerate_of(const std::string& option, const std::string& text) {
  std::uint32_t numerator = 0;
  std::uint32_t denominator = 1;
  const char* const end = text.data() + text.size();
  std::from_chars_result read = std::from_chars(text.data(), end, numerator);
  if (read.ec == std::errc() && read.ptr != end && *read.ptr == '/')
    read = std::from_chars(read.ptr + 1, end, denominator);
  constexpr std::uint32_t kMost = 1'000'000;
  if (read.ec != std::errc() || read.ptr != end || numerator == 0 || denominator == 0 || numerator > kMost ||
      denominator > kMost || numerator / denominator > 1000)
    throw Error(ErrorCode::bad_config, "the option '" + option + "' is \"" + text +
                                           "\", and must be a rate above 0 such as 25 or 30000/1001, at most "
                                           "1000");
  return "framerate=" + std::to_string(numerator) + "/" + std::to_string(denominator);
}

}  // namespace capture
