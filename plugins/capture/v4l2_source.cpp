#include "v4l2_source.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>

#include <reel/base/unique_fd.hpp>
#include <reel/gst/element.hpp>

namespace capture {

namespace {

using reel::Error;
using reel::ErrorCode;

constexpr std::string_view kScheme = "v4l2://";

std::string device_of(const std::string& uri) {
  const std::string device = uri.substr(kScheme.size());
  if (device.empty() || device.front() != '/')
    throw Error(ErrorCode::bad_config,
                "uri \"" + uri + "\" names no device: write v4l2:///dev/video0, with three slashes");
  return device;
}

std::pair<std::string, std::int32_t> control_of(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  std::int32_t value = 0;
  bool good = equals != std::string::npos && !name.empty() &&
              name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  if (good) {
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + equals + 1, end, value);
    good = error == std::errc() && rest == end;
  }
  if (!good)
    throw Error(ErrorCode::bad_config,
                "the option controls has \"" + text +
                    "\", and takes NAME=NUMBER such as brightness=128 or exposure_auto=1, names in small "
                    "letters as v4l2-ctl --list-ctrls shows them");
  return {name, value};
}

std::string media_type_of(const std::string& format) {
  if (format == "MJPG") return "image/jpeg";
  if (format == "H264") return "video/x-h264";
  if (format == "H265") return "video/x-h265";
  return format == "own" ? "video/x-raw" : "video/x-raw, format=" + format;
}

}  // namespace

V4l2Source::V4l2Source(const reel::Options& options)
    : DeviceSource(options.text("uri")),
      device_(device_of(options.text("uri"))),
      format_(options.text("camera_format")) {
  if (options.given("width")) fields_ += ", width=" + std::to_string(options.integer("width"));
  if (options.given("height")) fields_ += ", height=" + std::to_string(options.integer("height"));
  if (options.given("fps")) fields_ += ", " + framerate_of("fps", options.text("fps"));
  for (const std::string& control : options.list("controls"))
    if (!control.empty()) controls_.push_back(control_of(control));
}

void V4l2Source::check() const {
  const reel::UniqueFd fd(open(device_.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  const int reason = errno;
  const std::string name = "the camera \"" + device_ + "\"";
  if (!fd && (reason == ENOENT || reason == ENODEV || reason == ENXIO))
    throw Error(ErrorCode::not_found,
                name +
                    " is not there: plug it in, or name another in the option uri (`reel doctor` lists "
                    "those that are there, with their modes)");
  if (!fd && (reason == EACCES || reason == EPERM))
    throw Error(ErrorCode::no_permission, name + " may not be opened by this user: add it to the group of " +
                                              device_ + " (usermod -aG video USER) and log in again");
  if (!fd) throw Error(ErrorCode::io, name + " cannot be opened: " + std::strerror(reason));
  struct stat status {};
  if (fstat(fd.get(), &status) == 0 && !S_ISCHR(status.st_mode))
    throw Error(ErrorCode::bad_config, "\"" + device_ + "\" is no device: check the option uri");
}

std::string V4l2Source::caps(const Wanted& wanted) const {
  const bool jpeg = format_ == "own" && wanted.has(Media::video_encoded);
  return media_type_of(jpeg ? "MJPG" : format_) + fields_;
}

reel::gst::Ptr<GstElement> V4l2Source::make_element(const Wanted& wanted) const {
  const reel::gst::Ptr<GstElement> reader = reel::gst::new_element("v4l2src");
  g_object_set(reader.get(), "device", device_.c_str(), nullptr);
  if (!controls_.empty()) {
    GstStructure* const all = gst_structure_new_empty("controls");
    for (const auto& [name, value] : controls_)
      gst_structure_set(all, name.c_str(), G_TYPE_INT, static_cast<gint>(value), nullptr);
    g_object_set(reader.get(), "extra-controls", all, nullptr);
    gst_structure_free(all);
  }
  return make_bin(reader, caps(wanted));
}

std::string V4l2Source::advice() const {
  return "is it in use, and does it have such a mode (options camera_format, width, height, fps)? "
         "`reel doctor` lists its modes";
}

}  // namespace capture
