// Runs one stage to its end in the calling process: what the stage host does. Single-thread; installs nothing process-wide.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <reel/channel/options.hpp>
#include <reel/stage/loader.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel {

struct InputSetup {
  std::string port;
  std::string stream;
  ReaderOptions reader;
};

struct OutputSetup {
  std::string port;
  std::string stream;
  WriterOptions writer;
};

/// Everything a stage process is told. What the supervisor sends its stage host as JSON (see stage_setup.hpp).
struct StageSetup {
  std::string name;         // of the stage in its pipeline
  std::string plugin;       // path of the module
  std::string base_directory;
  std::map<std::string, OptionValue> options;
  std::vector<InputSetup> inputs;
  std::vector<OutputSetup> outputs;
};

/// How far a running stage has been asked to end. Set from a signal watcher thread; read by the loop.
class StopSignal {
 public:
  /// A source finishes its stream; a stage with inputs goes on until they end.
  void drain() noexcept { level_.store(1, std::memory_order_relaxed); }
  /// The stage ends at once, its outputs with an end of stream.
  void stop() noexcept { level_.store(2, std::memory_order_relaxed); }
  [[nodiscard]] bool draining() const noexcept { return level_.load(std::memory_order_relaxed) >= 1; }
  [[nodiscard]] bool stopped() const noexcept { return level_.load(std::memory_order_relaxed) >= 2; }

 private:
  std::atomic<int> level_{0};
};

/// Returns when the stage has ended well (inputs ended, source finished, finish() called, or stopped). Throws Error{...} where = the
/// stage's name otherwise; anything that a plugin throws comes out as Error{plugin}. `page` gets the counters.
void run_stage(const Plugin& plugin, const StageSetup& setup, const StopSignal& stop, StagePage& page);

}  // namespace reel
