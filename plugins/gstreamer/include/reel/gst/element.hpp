// Making GStreamer elements, and saying which Debian package holds what is missing. Thread-safe after
// gst_init().
#pragma once

#include <string_view>

#include <reel/gst/pointers.hpp>

namespace reel::gst {

/// Throws reel::Error{unsupported} naming the element and its Debian package when GStreamer has no such
/// element.
[[nodiscard]] Ptr<GstElement> new_element(const char* factory);

/// The Debian package that holds element `factory`, as of Debian 12.
[[nodiscard]] std::string_view package_for_element(std::string_view factory) noexcept;

/// The package of a decoder or demuxer for `media_type` ("video/x-h264"), as of Debian 12.
[[nodiscard]] std::string_view package_for_media(std::string_view media_type) noexcept;

}  // namespace reel::gst
