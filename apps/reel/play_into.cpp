#include "play_into.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>

namespace {

using Names = std::set<std::string>;

Names written_by(const reel::StageConfig& stage) {
  Names names;
  for (const reel::OutputConfig& output : stage.outputs) names.insert(output.stream);
  return names;
}

Names read_by(const std::vector<reel::StageConfig>& stages) {
  Names names;
  for (const reel::StageConfig& stage : stages)
    for (const reel::InputConfig& input : stage.inputs) names.insert(input.stream);
  return names;
}

bool share(const Names& a, const Names& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& name) { return b.contains(name); });
}

// Takes those out that write into `streams`; true with what they read, which is in `freed` then.
bool take_out_writers(std::vector<reel::StageConfig>& stages, const Names& streams, Names& freed) {
  const auto gone = std::stable_partition(stages.begin(), stages.end(), [&](const reel::StageConfig& stage) {
    return !share(written_by(stage), streams);
  });
  for (auto stage = gone; stage != stages.end(); ++stage)
    for (const reel::InputConfig& input : stage->inputs) freed.insert(input.stream);
  const bool any = gone != stages.end();
  stages.erase(gone, stages.end());
  return any;
}

}  // namespace

reel::PipelineConfig with_player(reel::PipelineConfig pipeline, reel::StageConfig player) {
  const Names played = written_by(player);
  std::vector<reel::StageConfig>& stages = pipeline.stages;
  const Names read = read_by(stages);
  if (!share(played, read))
    throw reel::Error(reel::ErrorCode::bad_argument,
                      "--into: no stage reads what is played (" +
                          reel::join_or(std::vector<std::string>(played.begin(), played.end())) + ") but " +
                          reel::join_or(std::vector<std::string>(read.begin(), read.end())) +
                          ": --stream NAME=NEW gives it the name that is read",
                      pipeline.file);
  Names freed;
  take_out_writers(stages, played, freed);
  // What nobody reads any more ran for those that are gone.
  for (bool more = true; more;) {
    const Names still_read = read_by(stages);
    Names unread;
    for (const std::string& name : freed)
      if (!still_read.contains(name)) unread.insert(name);
    more = false;
    for (const reel::StageConfig& stage : std::vector<reel::StageConfig>(stages)) {
      const Names written = written_by(stage);
      if (share(written, unread) && !share(written, still_read))
        more = take_out_writers(stages, written, freed) || more;
    }
  }
  const auto taken = [&](const std::string& name) {
    return std::any_of(stages.begin(), stages.end(), [&](const auto& stage) { return stage.name == name; });
  };
  while (taken(player.name)) player.name += "_";
  stages.push_back(std::move(player));
  return pipeline;
}
