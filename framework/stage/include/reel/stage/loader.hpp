// Finds and opens plugin modules. Single-thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <reel/stage/plugin.hpp>

namespace reel {

/// An opened module. Stages made by it must be gone before it.
class Plugin {
 public:
  /// Opens the module `path`; its code stays in the process for good. Throws Error{not_found}, {plugin} when
  /// it is no plugin or a wrongly declared one, {version} naming both ABI numbers when it is of another.
  explicit Plugin(const std::string& path);
  Plugin(Plugin&&) noexcept;
  Plugin& operator=(Plugin&&) noexcept;
  ~Plugin();

  [[nodiscard]] const PluginDescriptor& descriptor() const noexcept { return *descriptor_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::span<const PortSpec> inputs() const noexcept;
  [[nodiscard]] std::span<const PortSpec> outputs() const noexcept;
  [[nodiscard]] std::span<const OptionSpec> options() const noexcept;
  /// Throws Error{plugin} when the constructor failed.
  [[nodiscard]] std::unique_ptr<Stage> create() const;

 private:
  std::string path_;
  void* module_ = nullptr;
  const PluginDescriptor* descriptor_ = nullptr;
};

/// Where plugins are looked for, in this order: `extra`, each entry of $REEL_PLUGIN_PATH (colon-separated),
/// the directory that belongs to this build or installation (found from where libreel itself lies).
[[nodiscard]] std::vector<std::string> plugin_directories(const std::vector<std::string>& extra = {});

/// Names of all modules found, sorted, without opening them.
[[nodiscard]] std::vector<std::string> list_plugins(const std::vector<std::string>& directories);

/// Throws Error{not_found} that names the nearest right name and where was looked.
[[nodiscard]] Plugin load_plugin(std::string_view name, const std::vector<std::string>& directories);

}  // namespace reel
