// What of libraries, displays and devices Reel's plugins want.
#include "finding.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/videodev2.h>
#include <grp.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/base/unique_fd.hpp>
#include <reel/pipeline/machine.hpp>
#include <reel/pipeline/supervisor.hpp>
#include <reel/stage/loader.hpp>

namespace {

using Grade = Finding::Grade;

// Elements that samples, plugins and recordings use, and Debian's package of each.
constexpr std::array kElements{std::pair("videoconvert", "gstreamer1.0-plugins-base"),
                               std::pair("qtdemux", "gstreamer1.0-plugins-good"),
                               std::pair("rtspsrc", "gstreamer1.0-plugins-good"),
                               std::pair("avdec_h264", "gstreamer1.0-libav"),
                               std::pair("x264enc", "gstreamer1.0-plugins-ugly"),
                               std::pair("h264parse", "gstreamer1.0-plugins-bad")};

bool has_element(const char* element) {
  reel::Graph graph;
  graph.stages.emplace_back();
  graph.stages.back().config.name = "doctor";
  graph.stages.back().gst = true;
  graph.stages.back().setup.base_directory = "/";
  graph.stages.back().setup.options["launch"] = {.text = element, .items = {}, .is_list = false, .where = ""};
  return reel::missing_elements(graph).empty();
}

void look_for_elements(Findings& findings) {
  std::set<std::string> lacking, packages;
  if (!has_element("reelsink")) lacking.insert("reelsink");
  for (const auto& [element, package] : kElements) {
    if (has_element(element)) continue;
    lacking.insert(element);
    packages.insert(package);
  }
  if (lacking.empty())
    findings.push_back({Grade::fine, "GStreamer", "its elements are there, reelsink and reelsrc too", ""});
  else if (lacking.contains("reelsink"))
    findings.push_back({Grade::lacking, "GStreamer", fmt::format("has no {}", fmt::join(lacking, ", ")),
                        "build or install Reel whole: its elements belong beside its other libraries"});
  else
    findings.push_back({Grade::lacking, "GStreamer", fmt::format("has no {}", fmt::join(lacking, ", ")),
                        install_text(fmt::format("{}", fmt::join(packages, " ")))});
}

std::string fourcc_text(std::uint32_t code) {
  std::string text;
  for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>(code >> shift & 0x7f);
  return reel::printable(text);
}

std::string sizes_text(int fd, std::uint32_t format) {
  std::vector<std::string> sizes;
  v4l2_frmsizeenum size{};
  size.pixel_format = format;
  for (size.index = 0; ::ioctl(fd, VIDIOC_ENUM_FRAMESIZES, &size) == 0; ++size.index) {
    if (size.type == V4L2_FRMSIZE_TYPE_DISCRETE) {
      sizes.push_back(fmt::format("{}x{}", size.discrete.width, size.discrete.height));
    } else {
      sizes.push_back(fmt::format("{}x{} to {}x{}", size.stepwise.min_width, size.stepwise.min_height,
                                  size.stepwise.max_width, size.stepwise.max_height));
      break;
    }
  }
  return fmt::format("{} {}", fourcc_text(format), fmt::join(sizes, " "));
}

// That of whose group a user has to be to open it.
std::string group_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return "video";
  const group* owner = ::getgrgid(status.st_gid);
  return owner != nullptr ? owner->gr_name : std::to_string(status.st_gid);
}

Finding camera(const std::string& path) {
  const reel::UniqueFd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd && errno == EACCES)
    return {Grade::lacking, path, "may not be opened by this user",
            as_root(fmt::format("usermod -aG {} $(id -un)  # then log in again", group_of(path)))};
  if (!fd)
    return {Grade::lacking, path, fmt::format("cannot be opened: {}", std::strerror(errno)),
            "plug it in again"};
  v4l2_capability what{};
  if (::ioctl(fd.get(), VIDIOC_QUERYCAP, &what) != 0)
    return {Grade::lacking, path, "is no Video4Linux device", "name another in v4l2://"};
  const std::uint32_t able =
      (what.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ? what.device_caps : what.capabilities;
  const std::string name = reel::printable(reinterpret_cast<const char*>(what.card));
  if ((able & V4L2_CAP_VIDEO_CAPTURE) == 0) return {Grade::fine, path, name + ": captures nothing", ""};
  std::vector<std::string> modes;
  v4l2_fmtdesc format{};
  format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  for (format.index = 0; ::ioctl(fd.get(), VIDIOC_ENUM_FMT, &format) == 0; ++format.index)
    modes.push_back(sizes_text(fd.get(), format.pixelformat));
  return {Grade::fine, path, fmt::format("{}: {}", name, fmt::join(modes, "; ")), ""};
}

// Debian's package of a shared library, by its policy: libopencv_core.so.406 is of libopencv-core406.
// GStreamer keeps many in one.
std::string package_of(const std::string& library) {
  const std::size_t end = library.find(".so.");
  if (library.starts_with("libgst")) return "libgstreamer-plugins-base1.0-0";
  std::string package = library.substr(0, end);
  for (char& letter : package)
    letter = letter == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  if (std::isdigit(static_cast<unsigned char>(package.back())) != 0) package += '-';
  return package + library.substr(end + 4);
}

std::string fix_of_plugin(const std::string& why) {
  // What the dynamic linker says: "...: libfoo.so.1: cannot open shared object file: ..."
  const std::size_t end = why.find(": cannot open shared object file");
  const std::size_t begin = end == std::string::npos ? end : why.rfind(' ', end);
  const std::string library =
      begin == std::string::npos ? std::string() : why.substr(begin + 1, end - begin - 1);
  if (library.starts_with("lib") && library.find(".so.") != std::string::npos)
    return install_text(package_of(library));
  return "build it again with this Reel, or take it away";
}

}  // namespace

void look_at_programs(Findings& findings) {
  try {
    findings.push_back({Grade::fine, "stage host", reel::find_stage_host(), ""});
  } catch (const reel::Error& error) {
    findings.push_back(
        {Grade::fault, "stage host", error.what(), "build or install Reel whole, or set REEL_STAGE_HOST"});
  }
  const std::vector<std::string> directories = reel::plugin_directories();
  std::vector<std::string> good;
  const std::vector<std::string> names = reel::list_plugins(directories);
  for (const std::string& name : names) {
    try {
      good.push_back(reel::load_plugin(name, directories).descriptor().name);
    } catch (const reel::Error& error) {
      findings.push_back({Grade::lacking, "plugin " + name, error.what(), fix_of_plugin(error.what())});
    }
  }
  if (good.empty())
    findings.push_back({Grade::fault, "plugins", fmt::format("none in {}", fmt::join(directories, ", ")),
                        "build or install Reel whole, or set REEL_PLUGIN_PATH"});
  else
    findings.push_back({Grade::fine, "plugins", fmt::format("{} of them (`reel plugins`)", good.size()), ""});
  const auto has_opencv = [](const std::vector<std::string>& plugins) {
    return std::any_of(plugins.begin(), plugins.end(),
                       [](const std::string& name) { return name.starts_with("opencv."); });
  };
  if (has_opencv(good))
    findings.push_back({Grade::fine, "OpenCV", "its filters are there", ""});
  else if (!has_opencv(names))  // else each has said what it lacks
    findings.push_back({Grade::lacking, "OpenCV", "Reel was built without it: no filters of pictures",
                        install_text("libopencv-dev") + "  # and build again"});
}

void look_at_gstreamer(Findings& findings) {
  try {
    (void)reel::find_gst_stage_host();
    look_for_elements(findings);
  } catch (const reel::Error&) {
    findings.push_back(
        {Grade::lacking, "GStreamer", "Reel was built without it: no capture, no elements, no `use: gst`",
         install_text("libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev") + "  # and build again"});
  }
}

void look_at_displays(Findings& findings) {
  const char* display = std::getenv("DISPLAY");
  if (display == nullptr || *display == '\0') {
    findings.push_back({Grade::lacking, "display", "DISPLAY is not set: no window, no screen to capture",
                        "export DISPLAY=:0  # in a session; elsewhere `xvfb-run COMMAND`, or `display` with "
                        "its page alone"});
    return;
  }
  const std::string name = display;
  const std::string socket =
      "/tmp/.X11-unix/X" + name.substr(name.find(':') + 1, name.find('.') - name.find(':') - 1);
  if (name.starts_with(':') && ::access(socket.c_str(), F_OK) != 0)
    findings.push_back(
        {Grade::lacking, "display", fmt::format("DISPLAY is {}, but nobody listens at {}", name, socket),
         fmt::format("Xvfb {} &  # a virtual one (package xvfb); or name one that runs", name)});
  else
    findings.push_back({Grade::fine, "display", name, ""});
}

void look_at_cameras(Findings& findings) {
  std::vector<std::string> devices;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator("/dev", failed)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("video")) devices.push_back(entry.path().string());
  }
  std::sort(devices.begin(), devices.end());
  if (devices.empty())
    findings.push_back(
        {Grade::lacking, "cameras", "no /dev/video* here",
         "plug one in; in a container or virtual machine, pass it through (--device /dev/video0)"});
  for (const std::string& device : devices) findings.push_back(camera(device));
}
