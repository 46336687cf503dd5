#include "fake_catalog.hpp"
#include "health.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace reel {
namespace {

using ::testing::HasSubstr;

// cam -> v -> filter -> w -> show
class HealthOfAChain : public ::testing::Test {
 protected:
  HealthOfAChain() {
    for (const GraphStage& stage : graph_.stages) {
      StageReport report;
      report.name = stage.config.name;
      report.state = "running";
      for (const InputConfig& input : stage.config.inputs) {
        report.inputs.emplace_back();
        report.inputs.back().stream = input.stream;
      }
      for (const OutputConfig& output : stage.config.outputs) {
        report.outputs.emplace_back();
        report.outputs.back().stream = output.stream;
      }
      report_.stages.push_back(report);
    }
    present_.assign(graph_.stages.size(), true);
  }

  [[nodiscard]] std::size_t index(const std::string& name) const {
    std::size_t i = 0;
    while (graph_.stages[i].config.name != name) ++i;
    return i;
  }
  [[nodiscard]] StageReport& stage(const std::string& name) { return report_.stages[index(name)]; }
  // It has taken and given `frames` frames by now.
  void moves(const std::string& name, std::uint64_t frames, std::int64_t now_ms) {
    for (InputReport& input : stage(name).inputs) input.frames = input.newest = frames;
    for (OutputReport& output : stage(name).outputs) output.frames = output.newest = frames;
    watch_.moved(index(name), now_ms);
  }
  void all_move(std::uint64_t frames, std::int64_t now_ms) {
    for (const GraphStage& each : graph_.stages) moves(each.config.name, frames, now_ms);
  }
  [[nodiscard]] Health look(std::int64_t now_ms, bool ending = false) {
    return watch_.look(report_, graph_, present_, ending, now_ms);
  }
  [[nodiscard]] Condition condition(const Health& health, const std::string& name) {
    for (const StageHealth& each : health.stages)
      if (each.name == name) return each.condition;
    ADD_FAILURE() << name;
    return Condition::failed;
  }

  Graph graph_ = graph_of(R"(
version: 1
name: p
health: {stall_timeout: 5s}
stages:
  cam: {use: camera, out: {video: v}}
  middle: {use: filter, in: v, out: w}
  end: {use: show, in: w}
)");
  PipelineReport report_;
  std::vector<bool> present_;
  HealthWatch watch_;
};

TEST_F(HealthOfAChain, IsGoodWhileFramesMove) {
  EXPECT_FALSE(look(0).good) << "nothing has moved";
  EXPECT_THAT(look(0).reason, HasSubstr("cam: no frame yet"));
  all_move(1, 1000);
  EXPECT_TRUE(look(1000).good) << look(1000).reason;
  EXPECT_TRUE(look(5999).good);
  EXPECT_FALSE(look(6001).good);
}

TEST_F(HealthOfAChain, NamesTheSourceThatStallsAndNotThoseBehindIt) {
  all_move(10, 1000);
  const Health health = look(8000);
  EXPECT_FALSE(health.good);
  EXPECT_EQ(health.reason, "cam: stalled, no frame for 7.0 s");
  EXPECT_EQ(condition(health, "middle"), Condition::waiting);
  EXPECT_EQ(condition(health, "end"), Condition::waiting);
  all_move(11, 8100);
  EXPECT_TRUE(look(8100).good);
}

TEST_F(HealthOfAChain, NamesTheReaderThatHoldsUpItsWriter) {
  all_move(10, 1000);
  moves("cam", 14, 1100);
  stage("cam").blocked = true;
  const Health health = look(8000);
  EXPECT_EQ(condition(health, "cam"), Condition::waiting);
  EXPECT_EQ(condition(health, "middle"), Condition::stalled);
  EXPECT_EQ(condition(health, "end"), Condition::waiting);
}

TEST_F(HealthOfAChain, IsGoodWhereAStageHasNothingToTake) {
  all_move(10, 1000);
  moves("cam", 500, 9000);
  for (InputReport& input : stage("middle").inputs) input.newest = 500;  // it gives less than it takes
  watch_.moved(index("middle"), 9000);
  const Health health = look(9000);
  EXPECT_EQ(condition(health, "end"), Condition::waiting);
  EXPECT_TRUE(health.good) << health.reason;
}

TEST_F(HealthOfAChain, IsBadWhileACameraIsAwayThoughFramesMove) {
  all_move(10, 1000);
  stage("cam").metrics = {{"connected", "", "", false, 0}};
  EXPECT_EQ(look(1000).reason, "cam: disconnected, no frame for 0.0 s");
  stage("cam").metrics = {{"connected", "", "", false, 1}};
  EXPECT_TRUE(look(1000).good);
}

TEST_F(HealthOfAChain, IsBadWhileAStageSaysThatItCannotWork) {
  all_move(10, 1000);
  stage("end").metrics = {{"working", "", "", false, 0}};
  EXPECT_THAT(look(1000).reason, HasSubstr("end: cannot do its work"));
  stage("end").metrics = {{"working", "", "", true, 0}};
  EXPECT_TRUE(look(1000).good) << "a counter is none";
}

TEST_F(HealthOfAChain, IsBadWhileAStageIsRestartedOrHasFailed) {
  all_move(10, 1000);
  stage("middle").state = "backing off";
  EXPECT_EQ(look(1000).reason, "middle: restarting");
  stage("middle").state = "failed";
  EXPECT_EQ(look(1000).reason, "middle: failed");
}

TEST_F(HealthOfAChain, PassesOverStagesThatMayStandStill) {
  all_move(10, 1000);
  moves("middle", 11, 9000);
  graph_.health.ignored = {"cam", "end"};
  const Health health = look(9000);
  EXPECT_TRUE(health.good) << health.reason;
  EXPECT_EQ(condition(health, "cam"), Condition::ignored);
  EXPECT_EQ(condition(health, "end"), Condition::ignored);
  EXPECT_FALSE(look(19000).good) << "nothing moves at all";
}

TEST_F(HealthOfAChain, IsBadAtTheEnd) {
  all_move(10, 1000);
  const Health health = look(1000, true);
  EXPECT_FALSE(health.good);
  EXPECT_EQ(nlohmann::json::parse(health_json(health, "p"))["status"], "ending");
}

TEST_F(HealthOfAChain, LeavesOutWhatWasTakenOut) {
  all_move(10, 1000);
  stage("end").state = "stopped";
  present_[index("end")] = false;
  const Health health = look(1000);
  EXPECT_TRUE(health.good);
  EXPECT_EQ(health.stages.size(), 2u);
}

TEST_F(HealthOfAChain, IsJsonThatNamesTheStage) {
  all_move(10, 1000);
  const auto json = nlohmann::json::parse(health_json(look(8000), "p"));
  EXPECT_EQ(json["status"], "bad");
  EXPECT_EQ(json["pipeline"], "p");
  EXPECT_EQ(json["stages"][index("cam")]["condition"], "stalled");
  EXPECT_EQ(json["stages"][index("cam")]["last_frame_seconds_ago"], 7.0);
}

TEST_F(HealthOfAChain, IsALineForWhoeverManagesTheService) {
  all_move(10, 1000);
  EXPECT_EQ(health_line(look(1000)), "well: 3 stages");
  EXPECT_EQ(health_line(look(8000)), "cam: stalled, no frame for 7.0 s");
}

}  // namespace
}  // namespace reel
