// What opens a URI, takes its container apart and decodes what is wanted of it. GStreamer's threads call back
// into it; it holds nothing of ours.
#pragma once

#include <functional>
#include <string>

#include <reel/gst/pointers.hpp>

#include "wanted.hpp"

namespace capture {

/// GStreamer's uridecodebin. Media that are wanted encoded come parsed and not decoded, whether they are
/// wanted decoded too or not. `set_up` gets the element that reads the URI, before it does (nullptr: as it
/// is).
[[nodiscard]] reel::gst::Ptr<GstElement> make_uri_element(const std::string& uri, const Wanted& wanted,
                                                          std::function<void(GstElement*)> set_up = nullptr);

}  // namespace capture
