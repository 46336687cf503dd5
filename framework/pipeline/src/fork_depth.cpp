#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <string>

#include <fmt/format.h>

#include <reel/pipeline/fork_depth.hpp>

namespace reel {
namespace {

constexpr double kUsualFps = 30;
constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kMost = 1'000'000'000;  // beyond it, numbers of frames no longer matter

// The ways from a stage to one input of the join.
struct Ways {
  bool any = false;
  std::uint64_t period = 0;         // frames the stage writes for one that arrives, at the most
  bool assumed = false;             // a frame rate was, for that
  std::uint64_t room = kUnbounded;  // frames of the stage's that fit while the join takes none, at the least
  const OutputSetup* first = nullptr;  // the stream by which that way begins
};

class ForkDepth {
 public:
  explicit ForkDepth(const Graph& graph) : graph_(graph) {
    for (std::size_t i = 0; i < graph.stages.size(); ++i)
      for (const OutputSetup& output : graph.stages[i].setup.outputs) writers_[output.stream] = {i, &output};
  }

  std::vector<Lack> check() {
    for (std::size_t i = 0; i < graph_.stages.size(); ++i)
      if (graph_.stages[i].setup.join) check_join(i);
    return lacks_;
  }

 private:
  using AllWays = std::vector<Ways>;  // by stage

  struct Writer {
    std::size_t stage = 0;
    const OutputSetup* output = nullptr;
  };

  void check_join(std::size_t join) {
    std::vector<AllWays> ways;
    for (const InputSetup& input : graph_.stages[join].setup.inputs) ways.push_back(ways_to(join, input));
    for (std::size_t rare = 0; rare < ways.size(); ++rare)
      for (std::size_t held = 0; held < ways.size(); ++held)
        if (rare != held) check_pair(join, rare, ways[rare], held, ways[held]);
  }

  // Stages stand in an order in which each is behind those it reads from.
  AllWays ways_to(std::size_t join, const InputSetup& input) const {
    AllWays ways(join);
    lead(input, {true, 1, false, 0, nullptr}, graph_.stages[join], ways);
    for (std::size_t i = join; i-- > 0;) {
      if (!ways[i].any) continue;
      for (const InputSetup& before : graph_.stages[i].setup.inputs)
        lead(before, ways[i], graph_.stages[i], ways);
    }
    return ways;
  }

  // The ways from a stage, made longer by one of its inputs.
  void lead(const InputSetup& input, const Ways& from, const GraphStage& reader, AllWays& ways) const {
    const auto writer = writers_.find(input.stream);
    if (writer == writers_.end()) return;
    const OutputSetup& output = *writer->second.output;
    const std::uint64_t left_out = frames_for_one(input.choice);
    Ways& to = ways[writer->second.stage];
    const std::uint64_t period = std::min(kMost, from.period * left_out);
    if (period > to.period) {
      to.period = period;
      to.assumed = from.assumed || input.choice.max_fps > 0;
    }
    const bool blocks = input.reader.policy == Policy::lossless && !output.writer.live && !reader.exec() &&
                        !graph_.stages[writer->second.stage].exec() && from.room != kUnbounded;
    const std::uint64_t room =
        blocks ? std::min(kMost, output.writer.slots + from.room * left_out) : kUnbounded;
    if (!to.any || room < to.room) {
      to.room = room;
      to.first = &output;
    }
    to.any = true;
  }

  static std::uint64_t frames_for_one(const FrameChoice& choice) {
    if (choice.max_fps <= 0) return choice.every;
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(kUsualFps / choice.max_fps)));
  }

  // Once a pair: where the ways part last.
  void check_pair(std::size_t join, std::size_t rare, const AllWays& rare_ways, std::size_t held,
                  const AllWays& held_ways) {
    for (std::size_t i = join; i-- > 0;) {
      if (!rare_ways[i].any || !held_ways[i].any || rare_ways[i].period <= held_ways[i].room) continue;
      const GraphStage& stage = graph_.stages[join];
      const InputSetup& one = stage.setup.inputs[rare];
      const InputSetup& other = stage.setup.inputs[held];
      lacks_.push_back(
          {stage.config.join_where,
           fmt::format(
               "stage '{}' joins '{}' and '{}', and both come from stage '{}': it must write {} frames for "
               "one that comes by '{}'{}, and on the way by '{}' there is room for {}, so that all of them "
               "wait for each other. {}",
               stage.config.name, port_text(one), port_text(other), graph_.stages[i].config.name,
               rare_ways[i].period, port_text(one),
               rare_ways[i].assumed ? fmt::format(" (at {:g} frames a second)", kUsualFps) : "",
               port_text(other), held_ways[i].room, fix(rare_ways[i].period, held_ways[i]))});
      return;
    }
  }

  static std::string port_text(const InputSetup& input) {
    return input.choice.all()
               ? input.stream
               : fmt::format("{}, {}", input.stream,
                             input.choice.every > 1 ? fmt::format("every: {}", input.choice.every)
                                                    : fmt::format("max_fps: {:g}", input.choice.max_fps));
  }

  static std::string fix(std::uint64_t period, const Ways& held) {
    const std::uint64_t slots = held.first->writer.slots + period - held.room;
    if (slots <= kMaxSlots)
      return fmt::format("Give stream '{}' {} slots or more (it has {}), or read it with the policy queue",
                         held.first->stream, slots, held.first->writer.slots);
    return fmt::format(
        "Leave fewer frames out, or read stream '{}' with the policy queue: {} slots would do, and "
        "a stream has {} at most",
        held.first->stream, slots, kMaxSlots);
  }

  const Graph& graph_;
  std::map<std::string, Writer> writers_;
  std::vector<Lack> lacks_;
};

}  // namespace

std::vector<Lack> shallow_forks(const Graph& graph) {
  return ForkDepth(graph).check();
}

}  // namespace reel
