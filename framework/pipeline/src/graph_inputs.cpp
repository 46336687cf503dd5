#include "graph_inputs.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace reel {
namespace {

// The kinds that a stream can be of: what its writer may give and the port takes.
std::uint32_t carried_media(const DraftStage& stage, std::size_t input, const StreamMedia& media) {
  const auto written = media.find(stage.config->inputs[input].stream);
  const std::uint32_t given =
      written == media.end() ? static_cast<std::uint32_t>(kTakesAny) : written->second;
  return given & input_media(stage, input);
}

// Frames can be left out of some of these kinds.
bool can_be_thinned(std::uint32_t media) {
  return (media & (kTakesVideo | kTakesBytes)) != 0;
}

const char* choice_text(const FrameChoice& choice) {
  return choice.every > 1 ? "every" : "max_fps";
}

std::string other_way(const DraftStage& stage, const FrameChoice& choice) {
  if (stage.exec) return "its program reads by itself: let it leave them out";
  return choice.every > 1 ? "its launch line reads by itself: give 'max_fps' there, as `reelsrc ! videorate "
                            "drop-only=true max-rate=10 ! ...`"
                          : fmt::format(
                                "its launch line reads by itself: write `reelsrc ! videorate drop-only=true "
                                "max-rate={:.0f} ! ...` there",
                                std::max(choice.max_fps, 1.0));
}

void check_joined_input(const DraftStage& stage, std::size_t i, const StreamMedia& media,
                        Problems& problems) {
  const InputConfig& input = stage.config->inputs[i];
  const std::uint32_t carried = carried_media(stage, i, media);
  if (input.max_pins < kJoinPins)
    problems.add(
        input.where,
        fmt::format("stage '{}' joins '{}' with max_pins {}: a join holds {} frames of each input, one "
                    "at hand and one that may be nearer to the others",
                    stage.config->name, input.stream, input.max_pins, kJoinPins));
  if (carried != 0 && !can_be_thinned(carried))
    problems.add(input.where,
                 fmt::format("stage '{}' joins {} '{}': frames without partners are left out, and "
                             "of that nothing can be (of encoded media, decode it first)",
                             stage.config->name, media_text(carried), input.stream));
}

}  // namespace

void check_join(const DraftStage& stage, const StreamMedia& media, Problems& problems) {
  const StageConfig& config = *stage.config;
  if (!config.join) return;
  if (stage.exec || stage.gst) {
    problems.add(
        config.join_where,
        fmt::format("stage '{}' ({}) cannot have 'join': {}", config.name, config.use,
                    stage.exec ? "its program reads by itself: let it go by the frames' times"
                               : "elements with several inputs, such as compositor, go by the frames' "
                                 "times anyway"));
    return;
  }
  if (config.inputs.size() < 2)
    problems.add(config.join_where,
                 fmt::format("stage '{}' has 'join' and {}: there is nothing to join", config.name,
                             config.inputs.empty() ? "no inputs" : "one input"));
  for (std::size_t i = 0; i < config.inputs.size(); ++i) check_joined_input(stage, i, media, problems);
}

void settle_join_times(Graph& graph) {
  // Sources that each stage's frames come from: of one alone its index, else kSeveral.
  constexpr std::size_t kSeveral = ~std::size_t{0};
  std::vector<std::size_t> source(graph.stages.size());
  for (std::size_t i = 0; i < graph.stages.size(); ++i) {
    GraphStage& stage = graph.stages[i];
    source[i] = stage.upstream.empty() ? i : source[stage.upstream.front()];
    for (const std::size_t up : stage.upstream)
      if (source[up] != source[i]) source[i] = kSeveral;
    if (stage.setup.join && stage.setup.join->time == JoinTime::automatic && source[i] != kSeveral)
      stage.setup.join->time = JoinTime::media;
  }
}

void check_choices(const DraftStage& stage, const StreamMedia& media, Problems& problems) {
  for (std::size_t i = 0; i < stage.config->inputs.size(); ++i) {
    const InputConfig& input = stage.config->inputs[i];
    if (input.choice.all()) continue;
    if (stage.exec || stage.gst) {
      problems.add(input.where, fmt::format("stage '{}' ({}) cannot have '{}' at its input '{}': {}",
                                            stage.config->name, stage.config->use, choice_text(input.choice),
                                            input.stream, other_way(stage, input.choice)));
    } else if (const std::uint32_t carried = carried_media(stage, i, media);
               carried != 0 && !can_be_thinned(carried)) {
      problems.add(
          input.where,
          fmt::format("stage '{}' reads {} '{}' with '{}', which would leave pieces of it out: take "
                      "it whole (of encoded media, decode it first)",
                      stage.config->name, media_text(carried), input.stream, choice_text(input.choice)));
    }
  }
}

}  // namespace reel
