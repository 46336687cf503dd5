#include <algorithm>
#include <csignal>
#include <vector>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/pipeline/debugging.hpp>
#include <reel/stage/supervised.hpp>

namespace reel {
namespace {

constexpr int kDay_ms = 86'400'000;

GraphStage& stage_called(Graph& graph, const std::string& name) {
  std::vector<std::string> names;
  for (GraphStage& stage : graph.stages) {
    if (stage.config.name == name) return stage;
    names.push_back(stage.config.name);
  }
  const auto near = nearest_name(name, names);
  throw Error(ErrorCode::bad_argument,
              fmt::format("there is no stage \"{}\" to debug but {}{}", name, join_or(names),
                          near ? fmt::format(": did you mean \"{}\"?", *near) : ""));
}

}  // namespace

Graph for_debugger(Graph graph, const std::string& name) {
  if (name.empty()) return graph;
  GraphStage& debugged = stage_called(graph, name);
  if (debugged.exec())
    throw Error(ErrorCode::bad_argument,
                fmt::format("the stage \"{}\" is a program of its own (use: exec): attach a debugger to its "
                            "process, or put one in front of its command",
                            name));
  debugged.config.environment[kWaitForDebuggerVariable] = "1";
  for (GraphStage& stage : graph.stages) {
    for (OutputSetup& output : stage.setup.outputs) {
      output.writer.start_timeout_ms = std::max(output.writer.start_timeout_ms, kDay_ms);
      output.writer.stall_timeout_ms = 0;
    }
  }
  graph.drain_timeout_ms = std::max(graph.drain_timeout_ms, kDay_ms);
  graph.debugged = name;
  return graph;
}

int drain_signal_of(const Graph& graph, const std::string& stage) noexcept {
  return stage == graph.debugged ? kDrainSignalOfDebugged : SIGINT;
}

}  // namespace reel
