#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <utility>

#include <dlfcn.h>
#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/stage/loader.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSuffix = ".so";

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Error(ErrorCode::plugin, why, path);
}

// Modules are not unloaded with their Plugin: libraries that they bring (GStreamer, OpenCV) register types
// and thread-local destructors that must not outlive their code.
void* open_module(const std::string& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) throw Error(ErrorCode::not_found, "there is no such plugin file", path);
  void* module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (module == nullptr) {
    const char* said = ::dlerror();
    refuse(path, fmt::format("cannot be loaded: {}", said != nullptr ? said : "no reason was given"));
  }
  return module;
}

const PluginDescriptor* ask_for_descriptor(void* module, const std::string& path) {
  const auto entry = reinterpret_cast<PluginEntry>(::dlsym(module, kPluginSymbol));
  if (entry == nullptr)
    refuse(path, fmt::format("is no plugin: it has no function {}(); declare its stage with REEL_STAGE",
                             kPluginSymbol));
  const PluginDescriptor* descriptor = nullptr;
  try {
    descriptor = entry();
  } catch (...) {
    refuse(path, fmt::format("its {}() threw an exception", kPluginSymbol));
  }
  if (descriptor == nullptr) refuse(path, fmt::format("its {}() returned no descriptor", kPluginSymbol));
  return descriptor;
}

void check_ports(const PortSpec* ports, std::size_t count, const char* what, const std::string& path) {
  if (count > kMaxPorts)
    refuse(path, fmt::format("declares {} {}s; {} is the limit", count, what, kMaxPorts));
  if (count > 0 && ports == nullptr)
    refuse(path, fmt::format("declares {} {}s but no table of them", count, what));
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < count; ++i) {
    const PortSpec& port = ports[i];
    if (port.name == nullptr || port.help == nullptr || *port.name == '\0')
      refuse(path, fmt::format("{} {} has no name or no help", what, i));
    if ((port.media & kTakesAny) == 0) refuse(path, fmt::format("{} \"{}\" takes no media", what, port.name));
    if (!names.insert(port.name).second)
      refuse(path, fmt::format("declares the {} \"{}\" twice", what, port.name));
  }
}

void check_options(const PluginDescriptor& descriptor, const std::string& path) {
  if (descriptor.option_count > 0 && descriptor.options == nullptr)
    refuse(path, fmt::format("declares {} options but no table of them", descriptor.option_count));
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < descriptor.option_count; ++i) {
    const OptionSpec& option = descriptor.options[i];
    if (option.name == nullptr || option.help == nullptr || *option.name == '\0')
      refuse(path, fmt::format("option {} has no name or no help", i));
    if (to_string(option.type) == "unknown")
      refuse(path, fmt::format("option \"{}\" has the unknown type {}", option.name,
                               static_cast<std::uint32_t>(option.type)));
    if (!names.insert(option.name).second)
      refuse(path, fmt::format("declares the option \"{}\" twice", option.name));
  }
}

const PluginDescriptor* checked_descriptor(void* module, const std::string& path) {
  const PluginDescriptor* descriptor = ask_for_descriptor(module, path);
  // Nothing behind the first word is where this build believes it to be, unless that word is right.
  if (descriptor->abi != kPluginAbi)
    throw Error(
        ErrorCode::version,
        fmt::format("is a plugin of ABI {}, this Reel loads ABI {}: build it with this Reel's headers",
                    descriptor->abi, kPluginAbi),
        path);
  if (descriptor->name == nullptr || descriptor->summary == nullptr || descriptor->create == nullptr)
    refuse(path, "its descriptor lacks a name, a summary or a constructor");
  if (const std::string stem = fs::path(path).stem().string(); stem != descriptor->name)
    refuse(path, fmt::format("calls itself \"{}\": its file must be named {}{}", descriptor->name,
                             descriptor->name, kSuffix));
  check_ports(descriptor->inputs, descriptor->input_count, "input", path);
  check_ports(descriptor->outputs, descriptor->output_count, "output", path);
  check_options(*descriptor, path);
  return descriptor;
}

std::string own_plugin_directory() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&plugin_directories), &info) == 0 || info.dli_fname == nullptr)
    return {};
  std::error_code failed;
  const fs::path library = fs::canonical(info.dli_fname, failed);
  return failed ? std::string() : (library.parent_path() / "reel" / "plugins").string();
}

}  // namespace

Plugin::Plugin(const std::string& path) : path_(path), module_(open_module(path)) {
  try {
    descriptor_ = checked_descriptor(module_, path_);
  } catch (...) {
    ::dlclose(module_);
    throw;
  }
}

Plugin::Plugin(Plugin&& other) noexcept
    : path_(std::move(other.path_)),
      module_(std::exchange(other.module_, nullptr)),
      descriptor_(std::exchange(other.descriptor_, nullptr)) {}

Plugin& Plugin::operator=(Plugin&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(module_, other.module_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Plugin::~Plugin() {
  if (module_ != nullptr) ::dlclose(module_);
}

std::span<const PortSpec> Plugin::inputs() const noexcept {
  return {descriptor_->inputs, descriptor_->input_count};
}
std::span<const PortSpec> Plugin::outputs() const noexcept {
  return {descriptor_->outputs, descriptor_->output_count};
}
std::span<const OptionSpec> Plugin::options() const noexcept {
  return {descriptor_->options, descriptor_->option_count};
}

std::unique_ptr<Stage> Plugin::create() const {
  std::unique_ptr<Stage> stage(descriptor_->create());
  if (!stage)
    throw Error(ErrorCode::plugin, fmt::format("the constructor of {} failed", descriptor_->name), path_);
  return stage;
}

std::vector<std::string> plugin_directories(const std::vector<std::string>& extra) {
  std::vector<std::string> directories = extra;
  if (const char* listed = std::getenv("REEL_PLUGIN_PATH"); listed != nullptr) {
    std::string_view rest = listed;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(':'), rest.size());
      if (end > 0) directories.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  if (std::string own = own_plugin_directory(); !own.empty()) directories.push_back(std::move(own));
  return directories;
}

std::vector<std::string> list_plugins(const std::vector<std::string>& directories) {
  std::set<std::string> names;
  for (const std::string& directory : directories) {
    std::error_code unreadable;  // a directory that is not there holds no plugins
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, unreadable))
      if (entry.path().extension() == kSuffix) names.insert(entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

Plugin load_plugin(std::string_view name, const std::vector<std::string>& directories) {
  // A name is looked up in the directories; it never leads out of them.
  if (name.find('/') == std::string_view::npos) {
    for (const std::string& directory : directories) {
      const fs::path path = fs::path(directory) / (std::string(name) + kSuffix);
      std::error_code ignored;
      if (fs::exists(path, ignored)) return Plugin(path.string());
    }
  }
  std::string places;
  for (const std::string& directory : directories) places += (places.empty() ? "" : ", ") + directory;
  const auto near = nearest_name(name, list_plugins(directories));
  throw Error(ErrorCode::not_found, fmt::format("there is no plugin \"{}\"{} (looked in {})", name,
                                                near ? fmt::format(": did you mean \"{}\"?", *near) : "",
                                                places.empty() ? "no directory" : places));
}

}  // namespace reel
