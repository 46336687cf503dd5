#include "new_plugin.hpp"
#include "programs.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/whole_file.hpp>

namespace {

namespace fs = std::filesystem;

// What the template calls itself: as a plugin, as a file and project, as a class.
constexpr const char* kPlugin = "my.filter";
constexpr const char* kFile = "my_filter";
constexpr const char* kClass = "MyFilter";

fs::path template_directory() {
  const fs::path found = in_tree(REEL_BIN_TO_DATA) / "reel" / "plugin_template";
  std::error_code failed;
  if (fs::is_directory(found, failed)) return found;
  throw reel::Error(reel::ErrorCode::not_found,
                    fmt::format("there is no template at {}: install Reel whole", found.string()), "--new");
}

bool is_name(const std::string& name) {
  const auto word = [](unsigned char letter) { return std::isalnum(letter) != 0 || letter == '_'; };
  bool first = true;  // of a part
  for (const char letter : name) {
    const bool right = first ? std::isalpha(static_cast<unsigned char>(letter)) != 0
                             : letter == '.' || word(static_cast<unsigned char>(letter));
    if (!right) return false;
    first = letter == '.';
  }
  return !first;
}

std::string class_of(const std::string& name) {
  std::string result;
  bool first = true;
  for (const char letter : name) {
    const bool joint = letter == '.' || letter == '_';
    if (!joint)
      result += first ? static_cast<char>(std::toupper(static_cast<unsigned char>(letter))) : letter;
    first = joint;
  }
  return result;
}

// Each key by its value, in one pass: what was put in is not looked at again.
std::string replace_all(std::string_view text,
                        const std::vector<std::pair<std::string, std::string>>& values) {
  std::string made;
  while (!text.empty()) {
    const auto found = std::find_if(values.begin(), values.end(),
                                    [&](const auto& value) { return text.starts_with(value.first); });
    if (found == values.end()) {
      made += text.front();
      text.remove_prefix(1);
    } else {
      made += found->second;
      text.remove_prefix(found->first.size());
    }
  }
  return made;
}

// As a shell reads it back.
std::string quoted(const std::string& word) {
  const bool plain =
      word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=") ==
      std::string::npos;
  return plain && !word.empty() ? word : "'" + replace_all(word, {{"'", "'\\''"}}) + "'";
}

// What CMake has to be told to find the package of this installation; nothing where it looks by itself, and
// in a build tree, which has no package.
std::string prefix_option() {
  const fs::path library = in_tree(REEL_BIN_TO_LIB);
  std::error_code failed;
  if (!fs::exists(library / "cmake" / "reel" / "reelConfig.cmake", failed)) return {};
  const std::string prefix = in_tree(REEL_BIN_TO_PREFIX).parent_path().string();  // without the last slash
  return prefix == "/usr" || prefix == "/usr/local" ? "" : " -DCMAKE_PREFIX_PATH=" + quoted(prefix);
}

std::string read_template(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) throw reel::Error(reel::ErrorCode::io, "cannot be read", file.string());
  return text.str();
}

void make_empty_directory(const std::string& directory) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed)
    throw reel::Error(reel::ErrorCode::bad_argument,
                      fmt::format("--new: cannot be made: {}", failed.message()), directory);
  if (!fs::is_empty(directory, failed) || failed)
    throw reel::Error(reel::ErrorCode::bad_argument,
                      "--new: holds something already: name a directory that is empty, or not there yet",
                      directory);
}

}  // namespace

std::string write_new_plugin(const std::string& name, const std::string& directory) {
  if (!is_name(name) || name == "exec" || name == "gst")
    throw reel::Error(
        reel::ErrorCode::bad_argument,
        fmt::format("--new: '{}' is no name for a plugin: parts of letters, digits and _, with dots between "
                    "them, as in acme.glow",
                    name));
  const fs::path from = template_directory();
  make_empty_directory(directory);
  const std::string file_name = replace_all(name, {{".", "_"}});
  const std::vector<std::pair<std::string, std::string>> values{
      {kPlugin, name}, {kFile, file_name}, {kClass, class_of(name)}};
  for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
    const std::string text = replace_all(read_template(entry.path()), values);
    const fs::path to = fs::path(directory) / replace_all(entry.path().filename().string(), values);
    reel::write_whole_file(to.string(), std::as_bytes(std::span(text)), "--new");
  }
  const fs::path build = fs::path(directory) / "build";
  return fmt::format("cmake -S {0} -B {1}{2} && cmake --build {1}\nreel run {3}\n", quoted(directory),
                     quoted(build.string()), prefix_option(),
                     quoted((fs::path(directory) / (file_name + ".yaml")).string()));
}
