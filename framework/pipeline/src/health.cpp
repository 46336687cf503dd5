#include "health.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace reel {
namespace {

constexpr std::size_t kMostReasons = 4;

const OutputReport* writer_of(const std::string& stream, const PipelineReport& report, const Graph& graph,
                              std::size_t& stage) {
  for (const GraphStream& known : graph.streams) {
    if (known.name != stream) continue;
    stage = known.writer;
    for (const OutputReport& output : report.stages[stage].outputs)
      if (output.stream == stream) return &output;
  }
  return nullptr;
}

// Of one stage: its own numbers and those of the stages that it reads.
class Look {
 public:
  Look(const PipelineReport& report, const Graph& graph, const std::vector<StageHealth>& all)
      : report_(report), graph_(graph), all_(all) {}

  [[nodiscard]] Condition condition(std::size_t stage) const {
    const std::string& state = report_.stages[stage].state;
    if (state == "failed") return Condition::failed;
    if (state == "backing off" || state == "killing") return Condition::restarting;
    if (state == "finished" || state == "stopped" || state == "draining" || state == "stopping")
      return Condition::ended;
    if (says_no(stage, "connected")) return Condition::disconnected;
    if (says_no(stage, "working")) return Condition::impaired;
    if (state != "running") return Condition::starting;
    if (graph_.stages[stage].exec() || moves(stage)) return Condition::ok;
    if (all_[stage].silent_ms < graph_.health.stall_timeout_ms) return Condition::starting;
    return has_something_to_do(stage) ? Condition::stalled : Condition::waiting;
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
    const auto& inputs = report_.stages[stage].inputs;
    return graph_.stages[stage].source() ||
           std::any_of(inputs.begin(), inputs.end(),
                       [&](const InputReport& input) { return has_frames(stage, input); });
  }

  // Programs and launch lines do not say which frame was the last: where one does not, it is enough that the
  // writer moves.
  [[nodiscard]] bool has_frames(std::size_t stage, const InputReport& input) const {
    std::size_t writer = 0;
    const OutputReport* output = writer_of(input.stream, report_, graph_, writer);
    if (output == nullptr) return false;
    // A writer that began anew counts from 1: until it is past the reader's last, that says nothing.
    const bool known = output->newest >= std::max<std::uint64_t>(1, input.newest) &&
                       (input.newest != 0 || input.frames == 0);
    if (known && !graph_.stages[stage].gst) return output->newest > input.newest;
    return graph_.stages[writer].exec() || moves(writer) || report_.stages[writer].blocked;
  }

  const PipelineReport& report_;
  const Graph& graph_;
  const std::vector<StageHealth>& all_;
};

bool bad(Condition condition) {
  return condition == Condition::starting || condition == Condition::stalled ||
         condition == Condition::disconnected || condition == Condition::impaired ||
         condition == Condition::restarting || condition == Condition::failed;
}

std::string reason_of(const StageHealth& stage) {
  const double seconds = static_cast<double>(stage.silent_ms) / 1000;
  switch (stage.condition) {
    case Condition::starting: return fmt::format("{}: no frame yet", stage.name);
    case Condition::disconnected:
      return stage.any_frame ? fmt::format("{}: disconnected, no frame for {:.1f} s", stage.name, seconds)
                             : fmt::format("{}: not connected yet", stage.name);
    case Condition::impaired: return fmt::format("{}: cannot do its work (see its log)", stage.name);
    case Condition::stalled: return fmt::format("{}: stalled, no frame for {:.1f} s", stage.name, seconds);
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
    case Condition::disconnected: return "disconnected";
    case Condition::impaired: return "impaired";
    case Condition::restarting: return "restarting";
    case Condition::failed: return "failed";
    case Condition::ended: return "ended";
    case Condition::ignored: return "ignored";
  }
  return "unknown";
}

HealthWatch::Seen& HealthWatch::seen(std::size_t stage, std::int64_t now_ms) {
  if (seen_.size() <= stage) seen_.resize(stage + 1);
  if (seen_[stage].since_ms < 0) seen_[stage].since_ms = now_ms;
  return seen_[stage];
}

void HealthWatch::moved(std::size_t stage, std::int64_t now_ms) {
  seen(stage, now_ms).moved_ms = now_ms;
}

Health HealthWatch::look(const PipelineReport& report, const Graph& graph, const std::vector<bool>& present,
                         bool ending, std::int64_t now_ms) {
  std::vector<StageHealth> all;
  for (std::size_t i = 0; i < report.stages.size(); ++i) {
    const Seen& stage = seen(i, now_ms);
    const bool any_frame = stage.moved_ms >= 0;
    all.push_back({report.stages[i].name, Condition::starting,
                   now_ms - (any_frame ? stage.moved_ms : stage.since_ms), any_frame});
  }
  const Look look(report, graph, all);
  Health health;
  health.ending = ending;
  bool any_moves = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!present[i]) continue;
    StageHealth stage = all[i];
    stage.condition = look.condition(i);
    const auto& ignored = graph.health.ignored;
    if (bad(stage.condition) && std::find(ignored.begin(), ignored.end(), stage.name) != ignored.end())
      stage.condition = Condition::ignored;
    any_moves = any_moves || (stage.condition == Condition::ok && stage.any_frame);
    health.stages.push_back(std::move(stage));
  }
  health.reason = reasons_of(health.stages);
  if (ending)
    health.reason = "the pipeline is on its way to its end";
  else if (health.reason.empty() && !any_moves)
    health.reason = "no stage has any frames";
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
