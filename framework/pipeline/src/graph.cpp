#include "graph_draft.hpp"
#include "graph_inputs.hpp"
#include "graph_order.hpp"
#include "graph_ports.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/pipeline/graph.hpp>

namespace reel {
namespace {

constexpr std::size_t kMaxReaderName = 63;

// Builds one graph; the members are what its steps hand on.
class GraphBuilder {
 public:
  GraphBuilder(const PipelineConfig& config, PluginCatalog& catalog) : config_(config), catalog_(catalog) {}

  Graph build() {
    for (const StageConfig& stage : config_.stages)
      drafts_.push_back(draft_stage(stage, config_, catalog_, problems_));
    StreamMedia media;
    for (DraftStage& stage : drafts_) connect_outputs(stage, media, problems_);
    for (DraftStage& stage : drafts_) connect_inputs(stage, media, problems_);
    find_writers();
    find_readers();
    check_declared();
    for (const DraftStage& stage : drafts_) check_policies(stage, media);
    for (const DraftStage& stage : drafts_) {
      check_choices(stage, media, problems_);
      check_join(stage, media, problems_);
    }
    const std::vector<std::size_t> order = order_stages(config_.stages, upstream_, problems_);
    for (const auto& [name, writer] : writers_) check_slots(name, *writer.second);
    problems_.throw_if_any();
    return assemble(order);
  }

 private:
  void find_writers() {
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      const StageConfig& stage = *drafts_[i].config;
      check_count(stage, "outputs", stage.outputs.size());
      for (const OutputConfig& output : stage.outputs) {
        const auto [place, added] = writers_.emplace(output.stream, std::pair(i, &output));
        if (added) continue;
        problems_.add(
            output.where,
            fmt::format("stream '{}' has two writers, stage '{}' ({}) and stage '{}': a stream has one",
                        output.stream, config_.stages[place->second.first].name, place->second.second->where,
                        stage.name));
      }
    }
  }

  void find_readers() {
    upstream_.resize(drafts_.size());
    std::vector<std::string> written;
    for (const auto& [name, writer] : writers_) written.push_back(name);
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      const StageConfig& stage = *drafts_[i].config;
      check_count(stage, "inputs", stage.inputs.size());
      for (const InputConfig& input : stage.inputs) {
        readers_[input.stream].emplace_back(i, &input);
        const auto writer = writers_.find(input.stream);
        if (writer == writers_.end()) {
          problems_.add(
              input.where,
              fmt::format("stage '{}' reads stream '{}', which no stage writes{} (written: {})", stage.name,
                          input.stream, did_you_mean(input.stream, written), join_comma(written)));
        } else {
          upstream_[i].push_back(writer->second.first);
        }
      }
      std::sort(upstream_[i].begin(), upstream_[i].end());
      upstream_[i].erase(std::unique(upstream_[i].begin(), upstream_[i].end()), upstream_[i].end());
    }
  }

  void check_count(const StageConfig& stage, const char* what, std::size_t count) {
    if (count <= kMaxPorts) return;
    problems_.add(stage.where,
                  fmt::format("stage '{}' has {} {}: {} are allowed", stage.name, count, what, kMaxPorts));
  }

  void check_declared() {
    std::vector<std::string> written;
    for (const auto& [name, writer] : writers_) written.push_back(name);
    for (const auto& [name, stream] : config_.streams) {
      const auto writer = writers_.find(name);
      if (writer == writers_.end()) {
        problems_.add(stream.where, fmt::format("no stage writes stream '{}'{} (written: {})", name,
                                                did_you_mean(name, written), join_comma(written)));
      } else if (drafts_[writer->second.first].exec) {
        problems_.add(
            stream.where,
            fmt::format(
                "stream '{}' is written by the program of the exec stage '{}', which sets it up itself: "
                "nothing can be said of it here",
                name, config_.stages[writer->second.first].name));
      }
    }
  }

  void check_policies(const DraftStage& stage, const StreamMedia& media) {
    for (std::size_t i = 0; i < stage.config->inputs.size(); ++i) {
      const InputConfig& input = stage.config->inputs[i];
      const auto carried = media.find(input.stream);
      const bool audio =
          (carried != media.end() && carried->second == kTakesAudio) || input_media(stage, i) == kTakesAudio;
      if (input.policy == Policy::latest && audio) {
        problems_.add(
            input.where,
            fmt::format(
                "stage '{}' reads audio '{}' with the policy 'latest', which would skip pieces of it: "
                "use queue or lossless",
                stage.config->name, input.stream));
      }
      if (reader_name(stage, input).size() > kMaxReaderName) {
        problems_.add(input.where, fmt::format("the reader's name '{}' is longer than {} characters: shorten "
                                               "the pipeline's, the stage's or the port's",
                                               reader_name(stage, input), kMaxReaderName));
      }
    }
  }

  std::vector<const InputConfig*> inputs_of(const std::string& stream) const {
    std::vector<const InputConfig*> inputs;
    const auto found = readers_.find(stream);
    if (found == readers_.end()) return inputs;
    for (const auto& [stage, input] : found->second) inputs.push_back(input);
    return inputs;
  }

  // As the file says, or all defaults.
  StreamConfig stream_config(const std::string& name, const OutputConfig& output) const {
    const auto declared = config_.streams.find(name);
    if (declared != config_.streams.end()) return declared->second;
    StreamConfig stream;
    stream.where = output.where;
    return stream;
  }

  void check_slots(const std::string& name, const OutputConfig& output) {
    const StreamConfig stream = stream_config(name, output);
    const std::vector<const InputConfig*> readers = inputs_of(name);
    const SlotSum sum = slots_for(stream, readers);
    if (readers.size() > kMaxReaders)
      problems_.add(stream.where, fmt::format("stream '{}' has {} readers: {} are allowed", name,
                                              readers.size(), kMaxReaders));
    if (sum.needed > kMaxSlots) {
      problems_.add(stream.where,
                    fmt::format("stream '{}' would need {}, more than the {} slots a stream can have", name,
                                sum.text, kMaxSlots));
    } else if (stream.slots && *stream.slots < sum.needed) {
      problems_.add(stream.where, fmt::format("stream '{}' has {} slots, its readers need {}: give at least "
                                              "{}, or none, and they are derived",
                                              name, *stream.slots, sum.text, sum.needed));
    }
  }

  // "<pipeline>/<stage>[.<port>[index]]": as short as it can be told from the stage's others. A program is
  // given one name, for whatever it reads.
  std::string reader_name(const DraftStage& stage, const InputConfig& input) const {
    const auto& inputs = stage.config->inputs;
    std::string name = fmt::format("{}/{}", config_.name, stage.config->name);
    if (inputs.size() == 1 || stage.exec) return name;
    const auto position = static_cast<std::size_t>(&input - inputs.data());
    const std::string& port = stage.input_ports[position];
    name += "." + port;
    if (std::count(stage.input_ports.begin(), stage.input_ports.end(), port) > 1) {
      const auto end = stage.input_ports.begin() + static_cast<std::ptrdiff_t>(position);
      name += std::to_string(std::count(stage.input_ports.begin(), end, port));
    }
    return name;
  }

  WriterOptions writer_options(const OutputConfig& output) const {
    const std::string& name = output.stream;
    const StreamConfig stream = stream_config(name, output);
    WriterOptions options;
    const std::uint32_t derived = std::max(options.slots, slots_for(stream, inputs_of(name)).comfortable);
    options.slots = stream.slots.value_or(std::min(kMaxSlots, derived));
    options.grow_for_readers = !stream.slots;
    options.slot_bytes = stream.slot_bytes;
    options.max_bytes = stream.max_bytes;
    options.history = stream.history;
    options.loans = stream.loans;
    options.side_data_bytes = stream.side_data_bytes;
    options.checksum = stream.checksum;
    options.live = stream.live;
    options.lag_frames = stream.lag_frames;
    options.start_timeout_ms = stream.start_timeout_ms;
    options.stall_timeout_ms = stream.stall_timeout_ms;
    options.absence_timeout_ms = stream.absence_timeout_ms;
    options.memory = stream.memory;
    const auto readers = readers_.find(name);
    if (stream.live || readers == readers_.end()) return options;
    for (const auto& [stage, input] : readers->second) {
      // Nobody knows whether a program reads under the name that it is given, unless the file says so.
      if (input->wait.value_or(!drafts_[stage].exec))
        options.wait_for.push_back(reader_name(drafts_[stage], *input));
    }
    return options;
  }

  StageSetup setup_of(const DraftStage& stage) const {
    StageSetup setup;
    setup.name = stage.config->name;
    setup.plugin = stage.path;
    setup.base_directory = config_.base_directory;
    setup.options = stage.options;
    setup.join = stage.config->join;
    for (std::size_t i = 0; i < stage.config->inputs.size(); ++i) {
      const InputConfig& input = stage.config->inputs[i];
      InputSetup made{stage.input_ports[i], input.stream, {}};
      made.reader.name = reader_name(stage, input);
      made.reader.policy = input.policy;
      made.reader.start = input.start;
      made.reader.max_pins = input.max_pins;
      made.reader.verify = input.verify;
      made.reader.deliver_corrupted = input.deliver_corrupted;
      made.reader.comes_back = !stage.exec && input.policy == Policy::lossless;
      made.choice = input.choice;
      setup.inputs.push_back(std::move(made));
    }
    for (std::size_t i = 0; i < stage.config->outputs.size(); ++i) {
      const OutputConfig& output = stage.config->outputs[i];
      setup.outputs.push_back({stage.output_ports[i], output.stream, writer_options(output)});
    }
    return setup;
  }

  Graph assemble(const std::vector<std::size_t>& order) const {
    std::vector<std::size_t> place(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
    Graph graph;
    graph.name = config_.name;
    graph.file = std::filesystem::absolute(config_.file).lexically_normal().string();
    graph.base_directory = config_.base_directory;
    graph.drain_timeout_ms = config_.drain_timeout_ms;
    graph.stop_timeout_ms = config_.stop_timeout_ms;
    graph.serve = config_.serve;
    graph.health = config_.health;
    graph.stages.resize(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      GraphStage& stage = graph.stages[i];
      stage.config = config_.stages[order[i]];
      stage.setup = setup_of(drafts_[order[i]]);
      stage.command = drafts_[order[i]].command;
      stage.gst = drafts_[order[i]].gst;
      for (const std::size_t up : upstream_[order[i]]) {
        stage.upstream.push_back(place[up]);
        graph.stages[place[up]].downstream.push_back(i);
      }
      std::sort(stage.upstream.begin(), stage.upstream.end());
    }
    for (const auto& [name, writer] : writers_) {
      GraphStream stream{name, place[writer.first], {}};
      const auto readers = readers_.find(name);
      if (readers != readers_.end()) {
        for (const auto& [stage, input] : readers->second) stream.readers.push_back(place[stage]);
      }
      graph.streams.push_back(std::move(stream));
    }
    settle_join_times(graph);
    return graph;
  }

  const PipelineConfig& config_;
  PluginCatalog& catalog_;
  Problems problems_;
  std::vector<DraftStage> drafts_;  // as config_.stages
  std::map<std::string, std::pair<std::size_t, const OutputConfig*>> writers_;
  std::map<std::string, std::vector<std::pair<std::size_t, const InputConfig*>>> readers_;
  std::vector<std::vector<std::size_t>> upstream_;  // as config_.stages
};

}  // namespace

ModuleCatalog::ModuleCatalog(const std::vector<std::string>& plugin_path)
    : directories_(plugin_directories(plugin_path)) {}

PluginCatalog::Entry ModuleCatalog::find(const std::string& name) {
  auto found = open_.find(name);
  if (found == open_.end()) found = open_.emplace(name, load_plugin(name, directories_)).first;
  return {&found->second.descriptor(), found->second.path()};
}

Graph build_graph(const PipelineConfig& config, PluginCatalog& catalog) {
  return GraphBuilder(config, catalog).build();
}

}  // namespace reel
