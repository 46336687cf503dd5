#include "graph_change.hpp"

#include <tuple>
#include <utility>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/pipeline/machine.hpp>
#include <reel/stage/stage_setup.hpp>

namespace reel {
namespace {

// A stage's process need not hear of a change of whom its first frames wait for, of how many slots there are
// where they grow, nor of the line that an option stands in, nor of the file's directory where its paths are
// absolute already.
StageSetup lasting(const GraphStage& stage) {
  StageSetup setup = stage.setup;
  if (!stage.exec() && !stage.gst) setup.base_directory.clear();
  for (auto& [name, option] : setup.options) option.where.clear();
  for (OutputSetup& output : setup.outputs) {
    output.writer.wait_for.clear();
    if (output.writer.grow_for_readers) output.writer.slots = 0;
  }
  return setup;
}

// Of one part of a setup.
template <typename Clear>
bool differs(const StageSetup& before, const StageSetup& after, Clear&& leave_only) {
  StageSetup a = before, b = after;
  leave_only(a);
  leave_only(b);
  return to_json(a) != to_json(b);
}

std::string difference(const GraphStage& before, const GraphStage& after) {
  const StageSetup old_setup = lasting(before), new_setup = lasting(after);
  if (before.config.use != after.config.use || old_setup.plugin != new_setup.plugin ||
      before.command != after.command)
    return "what it runs";
  if (before.config.environment != after.config.environment) return "its environment";
  if (before.config.cpus != after.config.cpus || before.config.nice != after.config.nice)
    return "its processors";
  const auto inputs_only = [](StageSetup& setup) { setup.outputs.clear(), setup.options.clear(); };
  const auto outputs_only = [](StageSetup& setup) { setup.inputs.clear(), setup.options.clear(); };
  if (differs(old_setup, new_setup, inputs_only)) return "what it reads";
  if (differs(old_setup, new_setup, outputs_only)) return "what it writes";
  return to_json(old_setup) == to_json(new_setup) ? "" : "its options";
}

// What no process need hear of.
bool same_rules(const StageConfig& a, const StageConfig& b) {
  const auto values = [](const StageConfig& stage) {
    const RestartRule& rule = stage.restart;
    return std::tuple(rule.when, rule.limit, rule.window_ms, rule.first_delay_ms, rule.longest_delay_ms,
                      stage.hang_timeout_ms);
  };
  return values(a) == values(b);
}

auto health_values(const HealthRule& rule) {
  return std::tuple(rule.stall_timeout_ms, rule.ignored, rule.watchdog_wants_frames);
}

std::string address_of(const Graph& graph) {
  return graph.serve ? graph.serve->text() : "nowhere";
}

}  // namespace

std::size_t find_stage(const Graph& graph, const std::vector<bool>& present, const std::string& name) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < graph.stages.size(); ++i) {
    if (!present[i]) continue;
    if (graph.stages[i].config.name == name) return i;
    names.push_back(graph.stages[i].config.name);
  }
  const auto near = nearest_name(name, names);
  throw Error(ErrorCode::not_found,
              fmt::format("the pipeline \"{}\" has no stage \"{}\" but {}{}", graph.name, name,
                          join_or(names), near ? fmt::format(": did you mean \"{}\"?", *near) : ""));
}

Graph load_successor(const Graph& running, const std::string& file,
                     const std::vector<std::string>& overrides) {
  const PipelineConfig config = load_pipeline(file, overrides);
  ModuleCatalog catalog(config.plugin_path);
  Graph next = build_graph(config, catalog);
  if (next.name != running.name)
    throw Error(
        ErrorCode::bad_config,
        fmt::format("its name is \"{}\", that of what runs is \"{}\": one pipeline cannot become another",
                    next.name, running.name),
        file);
  if (const std::vector<Lack> lacks = missing_cpus(next); !lacks.empty())
    throw Error(ErrorCode::bad_config, lacks.front().text, lacks.front().where);
  return next;
}

GraphChange compare(const Graph& before, const std::vector<bool>& present, const std::vector<bool>& ended,
                    const Graph& after) {
  GraphChange change;
  std::vector<bool> goes_on(before.stages.size());
  for (std::size_t i = 0; i < after.stages.size(); ++i) {
    std::size_t old = 0;
    while (old < before.stages.size() &&
           (!present[old] || before.stages[old].config.name != after.stages[i].config.name))
      ++old;
    const bool known = old < before.stages.size();
    const std::string differs = known ? difference(before.stages[old], after.stages[i]) : "";
    if (known && (differs.empty() || !ended[old])) {
      goes_on[old] = true;
      change.kept.push_back({old, i, differs});
    } else {
      change.added.push_back(i);
    }
  }
  for (std::size_t i = 0; i < before.stages.size(); ++i)
    if (present[i] && !goes_on[i]) change.removed.push_back(i);
  return change;
}

std::vector<std::string> describe(const GraphChange& change, const Graph& before, const Graph& after) {
  std::vector<std::string> lines;
  for (const std::size_t stage : change.removed)
    lines.push_back(fmt::format("{}: taken out", before.stages[stage].config.name));
  for (const GraphChange::Kept& kept : change.kept) {
    if (!kept.restart.empty())
      lines.push_back(
          fmt::format("{}: restarted: {} changed", before.stages[kept.before].config.name, kept.restart));
  }
  for (const GraphChange::Kept& kept : change.kept)
    if (!same_rules(before.stages[kept.before].config, after.stages[kept.after].config))
      lines.push_back(
          fmt::format("{}: has other rules for its restarts", before.stages[kept.before].config.name));
  if (before.drain_timeout_ms != after.drain_timeout_ms || before.stop_timeout_ms != after.stop_timeout_ms)
    lines.push_back(fmt::format("drain_timeout is {:g} s, stop_timeout {:g} s",
                                after.drain_timeout_ms / 1000.0, after.stop_timeout_ms / 1000.0));
  if (health_values(before.health) != health_values(after.health)) lines.push_back("health: other rules");
  if (address_of(before) != address_of(after))
    lines.push_back(fmt::format("serve: stays {} until the pipeline is started anew", address_of(before)));
  for (const std::size_t stage : change.added)
    lines.push_back(fmt::format("{}: added", after.stages[stage].config.name));
  return lines;
}

void merge(const GraphChange& change, Graph& running, std::vector<bool>& present, Graph after) {
  std::vector<std::size_t> place(after.stages.size());
  for (const GraphChange::Kept& kept : change.kept) place[kept.after] = kept.before;
  for (std::size_t i = 0; i < change.added.size(); ++i) place[change.added[i]] = running.stages.size() + i;
  const auto move_all = [&](std::vector<std::size_t>& stages) {
    for (std::size_t& stage : stages) stage = place[stage];
  };
  for (GraphStage& stage : after.stages) {
    move_all(stage.upstream);
    move_all(stage.downstream);
  }
  for (GraphStream& stream : after.streams) {
    stream.writer = place[stream.writer];
    move_all(stream.readers);
  }
  for (const std::size_t stage : change.removed) {
    present[stage] = false;
    running.stages[stage].downstream.clear();
  }
  for (const GraphChange::Kept& kept : change.kept)
    running.stages[kept.before] = std::move(after.stages[kept.after]);
  for (const std::size_t stage : change.added) {
    running.stages.push_back(std::move(after.stages[stage]));
    present.push_back(true);
  }
  running.streams = std::move(after.streams);
  running.file = std::move(after.file);
  running.base_directory = std::move(after.base_directory);
  running.drain_timeout_ms = after.drain_timeout_ms;
  running.stop_timeout_ms = after.stop_timeout_ms;
  running.health = std::move(after.health);
}

}  // namespace reel
