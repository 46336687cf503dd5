// A pipeline whose plugins are known: who writes and reads which stream, in which order, and what every stage
// process is told. Built once before anything starts, by the supervisor and `reel check`. Single-thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <reel/pipeline/config.hpp>
#include <reel/stage/loader.hpp>
#include <reel/stage/run.hpp>

namespace reel {

/// Where a graph looks plugins up.
class PluginCatalog {
 public:
  virtual ~PluginCatalog() = default;
  struct Entry {
    const PluginDescriptor* descriptor;  // valid as long as the catalog
    std::string path;                    // of the module
  };
  /// Throws Error{not_found | plugin | version}.
  [[nodiscard]] virtual Entry find(const std::string& name) = 0;
};

/// The modules in the pipeline's `plugin_path`, in $REEL_PLUGIN_PATH and of this build or installation.
class ModuleCatalog final : public PluginCatalog {
 public:
  explicit ModuleCatalog(const std::vector<std::string>& plugin_path);
  [[nodiscard]] Entry find(const std::string& name) override;

 private:
  std::vector<std::string> directories_;
  std::map<std::string, Plugin> open_;
};

struct GraphStage {
  StageConfig config;
  StageSetup setup;  // of an exec stage: without a plugin and options; of a gst stage: without a plugin
  std::vector<std::string> command;               // of an exec stage; empty otherwise
  bool gst = false;                               // runs a launch line, in a host of its own kind
  std::vector<std::size_t> upstream, downstream;  // indices of stages, ascending

  [[nodiscard]] bool exec() const noexcept { return !command.empty(); }
  [[nodiscard]] bool source() const noexcept { return upstream.empty(); }
  [[nodiscard]] bool sink() const noexcept { return downstream.empty(); }
};

struct GraphStream {
  std::string name;
  std::size_t writer = 0;            // index of the stage
  std::vector<std::size_t> readers;  // one entry an input: a stage may stand here twice
};

struct Graph {
  std::string name;
  std::string file;  // that it was read from, absolute
  std::string base_directory;
  int drain_timeout_ms = 0, stop_timeout_ms = 0;
  std::optional<ListenAddress> serve;
  HealthRule health;
  std::string debugged;  // a stage that may stand still as long as somebody looks at it (debugging.hpp)
  std::vector<GraphStage> stages;    // every stage behind those it reads from, otherwise in the file's order
  std::vector<GraphStream> streams;  // by name
};

/// Checks what config.hpp cannot: plugins, their options and ports, the writers and readers of each stream,
/// cycles, kinds of media, slots. Throws Error{bad_config} as load_pipeline does.
[[nodiscard]] Graph build_graph(const PipelineConfig& config, PluginCatalog& catalog);

/// Slots that a stream needs for its declared readers, and the same with room for guests (tools, late
/// readers).
struct SlotSum {
  std::uint32_t needed = 0;
  std::uint32_t comfortable = 0;
  std::string text;  // "1 history + 1 loan + 4 pins + 1 = 7"
};
[[nodiscard]] SlotSum slots_for(const StreamConfig& stream, const std::vector<const InputConfig*>& readers);

}  // namespace reel
