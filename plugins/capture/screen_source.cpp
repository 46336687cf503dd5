#include "screen_source.hpp"

#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include <reel/gst/element.hpp>

namespace capture {

namespace {

using reel::Error;
using reel::ErrorCode;

constexpr std::string_view kScheme = "screen://";

std::string display_of(const std::string& uri) {
  const std::string name = uri.substr(kScheme.size());
  if (!name.empty()) return name;
  const char* const variable = std::getenv("DISPLAY");
  if (variable != nullptr && *variable != '\0') return variable;
  throw Error(ErrorCode::bad_config,
              "uri \"" + uri +
                  "\" means the display of this session, and there is none ($DISPLAY is not set): run it in "
                  "an X session, or name a display as in screen://:0");
}

}  // namespace

Region parse_region(const std::string& text) {
  Region region;
  if (text.empty()) return region;
  constexpr std::uint32_t kMost = 32'768;
  const std::array<std::pair<std::uint32_t*, char>, 4> parts{
      {{&region.width, 'x'}, {&region.height, '+'}, {&region.x, '+'}, {&region.y, '\0'}}};
  const char* at = text.data();
  const char* const end = at + text.size();
  bool good = true;
  for (const auto& [value, separator] : parts) {
    const auto [rest, error] = std::from_chars(at, end, *value);
    good = good && error == std::errc() && *value <= kMost &&
           (separator == '\0' ? rest == end : rest != end && *rest == separator);
    if (!good) break;
    at = rest + 1;
  }
  if (!good || region.width == 0 || region.height == 0)
    throw Error(ErrorCode::bad_config,
                "the option region is \"" + text +
                    "\", and takes WIDTHxHEIGHT+X+Y in pixels, such as 640x480+100+50");
  return region;
}

ScreenSource::ScreenSource(const reel::Options& options)
    : DeviceSource(options.text("uri")),
      display_(display_of(options.text("uri"))),
      region_(parse_region(options.text("region"))),
      pointer_(options.boolean("pointer")),
      framerate_(framerate_of("fps", options.text("fps"))) {}

// Without damage: a picture comes when it is due, whether anything has changed or not.
reel::gst::Ptr<GstElement> ScreenSource::make_element(const Wanted& /*wanted*/) const {
  const reel::gst::Ptr<GstElement> reader = reel::gst::new_element("ximagesrc");
  g_object_set(reader.get(), "display-name", display_.c_str(), "use-damage", FALSE, "show-pointer",
               pointer_ ? TRUE : FALSE, nullptr);
  if (region_.width != 0)
    g_object_set(reader.get(), "startx", region_.x, "starty", region_.y, "endx",
                 region_.x + region_.width - 1, "endy", region_.y + region_.height - 1, nullptr);
  return make_bin(reader, "video/x-raw, " + framerate_);
}

std::string ScreenSource::advice() const {
  return "is there an X server at display \"" + display_ + "\" that lets this user in (xhost, XAUTHORITY)?";
}

}  // namespace capture
