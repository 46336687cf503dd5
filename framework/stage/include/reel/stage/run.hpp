// Runs one stage to its end in the calling process: what the stage host does. Single-thread; installs nothing
// process-wide.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <reel/channel/options.hpp>
#include <reel/stage/inputs.hpp>
#include <reel/stage/loader.hpp>
#include <reel/stage/stop_signal.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel {

struct InputSetup {
  std::string port;
  std::string stream;
  ReaderOptions reader;
  FrameChoice choice = {};
};

struct OutputSetup {
  std::string port;
  std::string stream;
  WriterOptions writer;
};

/// Everything a stage process is told. What the supervisor sends its stage host as JSON (see
/// stage_setup.hpp).
struct StageSetup {
  std::string name;    // of the stage in its pipeline
  std::string plugin;  // path of the module
  std::string base_directory;
  std::map<std::string, OptionValue> options;
  std::vector<InputSetup> inputs;
  std::optional<JoinRule> join = {};  // of all inputs; each has max_pins of 2 or more then
  std::vector<OutputSetup> outputs;
};

/// Returns when the stage has ended well (inputs ended, source finished, finish() called, or stopped): its
/// outputs have ended and, unless it was stopped, their readers have had 10 seconds to take what they are
/// owed. Throws Error, where = the stage's name, otherwise: its readers see a disconnect. An Error out of the
/// plugin keeps its code, anything else that it throws becomes Error{plugin}; {bad_config} is a setup that no
/// restart can make good. `page` gets the counters, which go on from what they are: a restarted stage's are
/// sums.
void run_stage(const Plugin& plugin, const StageSetup& setup, const StopSignal& stop, StagePage& page);

}  // namespace reel
