#include "model_path.hpp"

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <vector>

#include <dlfcn.h>

#include <reel/base/error.hpp>

namespace fs = std::filesystem;

namespace {

std::vector<fs::path> model_directories() {
  std::vector<fs::path> directories;
  if (const char* set = std::getenv("REEL_MODEL_PATH"); set != nullptr) {
    std::istringstream list(set);
    for (std::string entry; std::getline(list, entry, ':');)
      if (!entry.empty()) directories.emplace_back(entry);
  }
  Dl_info module{};
  if (::dladdr(reinterpret_cast<const void*>(&model_path), &module) != 0 && module.dli_fname != nullptr) {
    // The module lies in <prefix>/<REEL_PLUGIN_DIR>; the build tree has the same shape, its models come with
    // the build.
    std::error_code unusable;
    const fs::path here = fs::canonical(module.dli_fname, unusable).parent_path();
    if (!unusable) directories.push_back((here / REEL_MODELS_FROM_PLUGINS).lexically_normal());
  }
  return directories;
}

}  // namespace

std::string model_path(std::string_view name) {
  std::string looked;
  for (const fs::path& directory : model_directories()) {
    const fs::path candidate = directory / name;
    std::error_code unusable;
    if (fs::exists(candidate, unusable)) return candidate.string();
    looked += (looked.empty() ? "" : ", ") + directory.string();
  }
  throw reel::Error(reel::ErrorCode::not_found,
                    "the model " + std::string(name) + " is in none of " + looked +
                        ": set the option `model` to the file, or $REEL_MODEL_PATH to the "
                        "directory that holds it");
}
