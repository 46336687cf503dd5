#include "health.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace reel {
namespace {

constexpr std::size_t kMostReasons = 4;

bool without_streams(const GraphStage& stage) {
  return stage.setup.inputs.empty() && stage.setup.outputs.empty();
}

// Others do not say which frame they took last, nor that they wait for readers.
bool counts_itself(const GraphStage& stage) {
  return !stage.exec() && !stage.gst;
}

// Of one stage: its own numbers and those of the stages that it reads.
class Look {
 public:
  Look(const PipelineReport& report, const Graph& graph, const StreamLooks& looks,
       const std::vector<StageHealth>& all)
      : report_(report), graph_(graph), looks_(looks), all_(all) {}

  [[nodiscard]] Condition condition(std::size_t stage) const {
    const std::string& state = report_.stages[stage].state;
    if (state == "failed") return Condition::failed;
    if (state == "backing off" || state == "killing") return Condition::restarting;
    if (state == "finished" || state == "stopped" || state == "draining" || state == "stopping")
      return Condition::ended;
    if (says_no(stage, "connected")) return Condition::disconnected;
    if (says_no(stage, "working")) return Condition::impaired;
    if (state != "running") return Condition::starting;
    if (without_streams(graph_.stages[stage]) || moves(stage)) return Condition::ok;
    if (all_[stage].still_ms < graph_.health.stall_timeout_ms) return Condition::starting;
    const Holder holder = holder_of(stage);
    const bool idle = !counts_itself(graph_.stages[stage]) && !has_something_to_do(stage);
    if (!holder.outsider.empty() && !idle) return Condition::held_up;
    return !holder.ours && has_something_to_do(stage) ? Condition::stalled : Condition::waiting;
  }

  // Whether a reader keeps it from giving frames, as far as is known.
  struct Holder {
    std::string outsider;  // who it is, where it is none of the stages'
    bool ours = false;     // one of the stages': what is wrong is found where that stage is looked at
  };
  [[nodiscard]] Holder holder_of(std::size_t stage) const {
    Holder holder;
    const bool counts = counts_itself(graph_.stages[stage]);
    if (counts && !report_.stages[stage].blocked) return holder;
    for (const OutputSetup& output : graph_.stages[stage].setup.outputs) {
      const StreamLook* look = look_of(looks_, output.stream);
      if (look == nullptr || look->live || (counts && !blocked(stage, output.stream))) continue;
      const auto is_ours = [&](const ReaderStatus& reader) { return reads(output.stream, reader.name); };
      const ReaderStatus* last = last_of(*look, is_ours);
      if (last == nullptr) continue;
      if (is_ours(*last))
        holder.ours = true;
      else
        holder.outsider = reader_text(*last, output.stream);
    }
    if (counts && !holder.ours && holder.outsider.empty() && !readers_have_frames(stage))
      holder.outsider = "a reader that does not show itself";
    return holder;
  }

 private:
  // By a gauge of its own.
  [[nodiscard]] bool says_no(std::size_t stage, std::string_view gauge) const {
    const auto& metrics = report_.stages[stage].metrics;
    return std::any_of(metrics.begin(), metrics.end(), [&](const MetricReport& metric) {
      return !metric.counter && metric.name == gauge && metric.value == 0;
    });
  }

  [[nodiscard]] bool moves(std::size_t stage) const {
    return all_[stage].any_frame && all_[stage].silent_ms < graph_.health.stall_timeout_ms;
  }

  [[nodiscard]] bool has_something_to_do(std::size_t stage) const {
    if (report_.stages[stage].blocked) return false;
    const std::vector<InputSetup>& inputs = graph_.stages[stage].setup.inputs;
    const auto has = [&](const InputSetup& input) { return has_frames(stage, input); };
    // A join waits until each of them has one, whatever it holds of the others.
    if (graph_.stages[stage].setup.join) return std::all_of(inputs.begin(), inputs.end(), has);
    return graph_.stages[stage].source() || std::any_of(inputs.begin(), inputs.end(), has);
  }

  [[nodiscard]] bool has_frames(std::size_t stage, const InputSetup& input) const {
    const GraphStream* stream = find(input.stream);
    if (stream == nullptr) return false;
    const InputReport* taken = by_stream(report_.stages[stage].inputs, input.stream);
    const OutputReport* given = by_stream(report_.stages[stream->writer].outputs, input.stream);
    if (taken != nullptr && given != nullptr && counts_itself(graph_.stages[stage])) {
      // A writer that began anew counts from 1: until it is past the reader's last, that says nothing.
      const bool known = given->newest >= std::max<std::uint64_t>(1, taken->newest) &&
                         (taken->newest != 0 || taken->frames == 0);
      if (known) return given->newest > taken->newest;
    }
    if (const StreamLook* look = look_of(looks_, input.stream))
      for (const ReaderStatus& reader : look->readers)
        if (reader.name == input.reader.name) return reader.cursor <= look->given;
    return moves(stream->writer) || report_.stages[stream->writer].blocked;
  }

  // One of the stages that read it has frames to take: it is the one to ask.
  [[nodiscard]] bool readers_have_frames(std::size_t stage) const {
    for (const GraphStream& stream : graph_.streams) {
      if (stream.writer != stage) continue;
      for (const std::size_t reader : stream.readers) {
        if (terminal_text(report_.stages[reader].state)) continue;
        for (const InputSetup& input : graph_.stages[reader].setup.inputs)
          if (input.stream == stream.name && has_frames(reader, input)) return true;
      }
    }
    return false;
  }

  [[nodiscard]] static bool terminal_text(const std::string& state) {
    return state == "finished" || state == "stopped" || state == "failed";
  }

  [[nodiscard]] const GraphStream* find(const std::string& name) const {
    const auto found = std::find_if(graph_.streams.begin(), graph_.streams.end(),
                                    [&](const GraphStream& stream) { return stream.name == name; });
    return found == graph_.streams.end() ? nullptr : &*found;
  }

  // Whether one of the pipeline's stages reads the stream under that name.
  [[nodiscard]] bool reads(const std::string& name, const std::string& reader) const {
    const GraphStream* stream = find(name);
    if (stream == nullptr) return false;
    return std::any_of(stream->readers.begin(), stream->readers.end(), [&](std::size_t stage) {
      const std::vector<InputSetup>& inputs = graph_.stages[stage].setup.inputs;
      return std::any_of(inputs.begin(), inputs.end(), [&](const InputSetup& input) {
        return input.stream == name && input.reader.name == reader;
      });
    });
  }

  [[nodiscard]] bool blocked(std::size_t stage, const std::string& stream) const {
    const OutputReport* output = by_stream(report_.stages[stage].outputs, stream);
    return output != nullptr && output->blocked;
  }

  template <typename Port>
  [[nodiscard]] static const Port* by_stream(const std::vector<Port>& ports, const std::string& stream) {
    const auto found =
        std::find_if(ports.begin(), ports.end(), [&](const Port& port) { return port.stream == stream; });
    return found == ports.end() ? nullptr : &*found;
  }

  const PipelineReport& report_;
  const Graph& graph_;
  const StreamLooks& looks_;
  const std::vector<StageHealth>& all_;
};

std::string starting_text(const StageHealth& stage) {
  if (!stage.running) return "has no process that runs yet";
  return stage.any_frame ? "no frame since it was restarted" : "no frame yet";
}

std::string reason_of(const StageHealth& stage) {
  const double seconds = static_cast<double>(stage.silent_ms) / 1000;
  switch (stage.condition) {
    case Condition::starting: return fmt::format("{}: {}", stage.name, starting_text(stage));
    case Condition::disconnected:
      return stage.any_frame ? fmt::format("{}: disconnected, no frame for {:.1f} s", stage.name, seconds)
                             : fmt::format("{}: not connected yet", stage.name);
    case Condition::impaired: return fmt::format("{}: cannot do its work (see its log)", stage.name);
    case Condition::stalled:
      return fmt::format("{}: stalled, no frame {} {:.1f} s", stage.name,
                         stage.any_frame ? "for" : "yet after", seconds);
    case Condition::held_up:
      return fmt::format("{}: held up by {}, no frame {} {:.1f} s", stage.name, stage.holder,
                         stage.any_frame ? "for" : "yet after", seconds);
    default: return fmt::format("{}: {}", stage.name, to_string(stage.condition));
  }
}

std::string reasons_of(const std::vector<StageHealth>& stages) {
  std::vector<std::string> reasons;
  for (const StageHealth& stage : stages)
    if (bad(stage.condition)) reasons.push_back(reason_of(stage));
  const std::size_t more = reasons.size() - std::min(reasons.size(), kMostReasons);
  reasons.resize(std::min(reasons.size(), kMostReasons));
  return fmt::format("{}{}", fmt::join(reasons, "; "), more > 0 ? fmt::format("; and {} more", more) : "");
}

}  // namespace

std::string_view to_string(Condition condition) noexcept {
  switch (condition) {
    case Condition::ok: return "ok";
    case Condition::starting: return "starting";
    case Condition::waiting: return "waiting";
    case Condition::stalled: return "stalled";
    case Condition::held_up: return "held up";
    case Condition::disconnected: return "disconnected";
    case Condition::impaired: return "impaired";
    case Condition::restarting: return "restarting";
    case Condition::failed: return "failed";
    case Condition::ended: return "ended";
    case Condition::ignored: return "ignored";
  }
  return "unknown";
}

bool bad(Condition condition) noexcept {
  switch (condition) {
    case Condition::ok:
    case Condition::waiting:
    case Condition::ended:
    case Condition::ignored: return false;
    default: return true;
  }
}

HealthWatch::Seen& HealthWatch::seen(std::size_t stage, std::int64_t now_ms) {
  if (seen_.size() <= stage) seen_.resize(stage + 1);
  if (seen_[stage].since_ms < 0) seen_[stage].since_ms = now_ms;
  return seen_[stage];
}

void HealthWatch::moved(std::size_t stage, std::int64_t now_ms) {
  seen(stage, now_ms).moved_ms = now_ms;
}

void HealthWatch::runs(std::size_t stage, bool running, std::int64_t now_ms) {
  Seen& one = seen(stage, now_ms);
  if (running != (one.running_ms >= 0)) one.running_ms = running ? now_ms : -1;
}

// Half of what is too long: a look has come by then.
std::set<std::string> HealthWatch::streams_to_see(const Graph& graph, const std::vector<bool>& present,
                                                  std::int64_t now_ms) {
  std::set<std::string> streams;
  for (std::size_t i = 0; i < graph.stages.size(); ++i) {
    const Seen& one = seen(i, now_ms);
    if (!present[i] || one.running_ms < 0) continue;
    const GraphStage& stage = graph.stages[i];
    const bool silent = now_ms - std::max(one.moved_ms, one.running_ms) > graph.health.stall_timeout_ms / 2;
    if (stage.exec())
      for (const InputSetup& input : stage.setup.inputs) streams.insert(input.stream);
    if (stage.exec() || silent)
      for (const OutputSetup& output : stage.setup.outputs) streams.insert(output.stream);
  }
  return streams;
}

void HealthWatch::saw(StreamLooks looks, const Graph& graph, std::int64_t now_ms) {
  looks_ = std::move(looks);
  for (std::size_t i = 0; i < graph.stages.size(); ++i) {
    if (!graph.stages[i].exec()) continue;
    const std::uint64_t frames = frames_seen(graph.stages[i], looks_);
    const std::uint64_t before = std::exchange(seen(i, now_ms).frames, frames);
    if (frames > before) moved(i, now_ms);
  }
}

Health HealthWatch::look(const PipelineReport& report, const Graph& graph, const std::vector<bool>& present,
                         bool ending, std::int64_t now_ms) {
  std::vector<StageHealth> all;
  for (std::size_t i = 0; i < report.stages.size(); ++i) {
    runs(i, report.stages[i].state == "running", now_ms);
    const Seen& one = seen(i, now_ms);
    StageHealth stage;
    stage.name = report.stages[i].name;
    stage.index = i;
    stage.any_frame = one.moved_ms >= 0;
    stage.running = one.running_ms >= 0;
    const std::int64_t began_ms = stage.running ? one.running_ms : one.since_ms;
    stage.silent_ms = now_ms - (stage.any_frame ? one.moved_ms : began_ms);
    stage.still_ms = now_ms - std::max(one.moved_ms, began_ms);
    all.push_back(std::move(stage));
  }
  const Look look(report, graph, looks_, all);
  Health health;
  health.ending = ending;
  bool any_streams = false, any_moves = false, any_runs = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!present[i]) continue;
    StageHealth stage = all[i];
    stage.condition = look.condition(i);
    if (stage.condition == Condition::held_up) stage.holder = look.holder_of(i).outsider;
    const auto& ignored = graph.health.ignored;
    if (bad(stage.condition) && std::find(ignored.begin(), ignored.end(), stage.name) != ignored.end())
      stage.condition = Condition::ignored;
    any_streams = any_streams || !without_streams(graph.stages[i]);
    any_runs = any_runs || stage.condition == Condition::ok;
    any_moves = any_moves || (stage.condition == Condition::ok && stage.any_frame);
    health.stages.push_back(std::move(stage));
  }
  health.reason = reasons_of(health.stages);
  if (ending)
    health.reason = "the pipeline is on its way to its end";
  else if (health.reason.empty() && any_streams && !any_moves)
    health.reason = "no stage has any frames";
  else if (health.reason.empty() && !any_runs)
    health.reason = "no stage runs";
  health.good = health.reason.empty();
  return health;
}

std::string health_json(const Health& health, const std::string& pipeline) {
  nlohmann::ordered_json json{{"status", health.good     ? "ok"
                                         : health.ending ? "ending"
                                                         : "bad"},
                              {"pipeline", pipeline},
                              {"reason", health.reason},
                              {"stages", nlohmann::ordered_json::array()}};
  for (const StageHealth& stage : health.stages) {
    nlohmann::ordered_json each{{"name", stage.name}, {"condition", to_string(stage.condition)}};
    if (stage.any_frame) each["last_frame_seconds_ago"] = static_cast<double>(stage.silent_ms) / 1000;
    json["stages"].push_back(std::move(each));
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string health_line(const Health& health) {
  if (!health.good) return health.reason;
  return fmt::format("well: {} stages", health.stages.size());
}

}  // namespace reel
