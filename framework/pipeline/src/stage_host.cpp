#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/pipeline/supervisor.hpp>

namespace reel {
namespace {

namespace fs = std::filesystem;

// Installed trees and the build tree have the same shape, so that one relative path serves both.
fs::path beside_library(const char* program) {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&find_stage_host), &info) == 0 || info.dli_fname == nullptr)
    return {};
  std::error_code failed;
  const fs::path library = fs::canonical(info.dli_fname, failed);
  if (failed) return {};
  return (library.parent_path() / REEL_LIB_TO_LIBEXEC / "reel" / program).lexically_normal();
}

fs::path host_path(const char* variable, const char* program) {
  const char* given = std::getenv(variable);
  return given != nullptr && *given != '\0' ? fs::path(given) : beside_library(program);
}

}  // namespace

std::string find_stage_host() {
  const fs::path path = host_path("REEL_STAGE_HOST", "reel-stage-host");
  if (::access(path.c_str(), X_OK) == 0) return path.string();
  throw Error(
      ErrorCode::not_found,
      fmt::format(
          "there is no stage host at {}: build or install Reel whole, or set REEL_STAGE_HOST to the program",
          path.string()));
}

std::string find_gst_stage_host() {
  const fs::path path = host_path("REEL_GST_STAGE_HOST", "reel-gst-stage-host");
  if (::access(path.c_str(), X_OK) == 0) return path.string();
  throw Error(ErrorCode::not_found,
              fmt::format("there is no program at {} to run launch lines: Reel was built without GStreamer "
                          "(Debian: libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev), or set "
                          "REEL_GST_STAGE_HOST to the program",
                          path.string()));
}

}  // namespace reel
