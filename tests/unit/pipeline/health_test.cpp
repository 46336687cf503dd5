#include "fake_catalog.hpp"
#include "health.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace reel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class HealthOf : public ::testing::Test {
 protected:
  explicit HealthOf(const std::string& stages)
      : graph_(graph_of("version: 1\nname: p\nhealth: {stall_timeout: 5s}\nstages:\n" + stages)) {
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
    watch_.runs(index(name), stage(name).state == "running", now_ms);
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

  Graph graph_;
  PipelineReport report_;
  std::vector<bool> present_;
  HealthWatch watch_;
};

class HealthOfAChain : public HealthOf {
 protected:
  HealthOfAChain()
      : HealthOf(
            "  cam: {use: camera, out: {video: v}}\n"
            "  middle: {use: filter, in: v, out: w}\n"
            "  end: {use: show, in: w}\n") {}

  // cam has given `given` frames and waits for a slot, which its own reader does not keep it from.
  void hold_up(std::uint64_t given) {
    all_move(given, 1000);
    stage("cam").blocked = stage("cam").outputs[0].blocked = true;
  }
};

ReaderStatus lossless(const std::string& name, std::uint32_t pid, std::uint64_t cursor) {
  ReaderStatus reader;
  reader.name = name;
  reader.pid = pid;
  reader.policy = Policy::lossless;
  reader.cursor = cursor;
  reader.delivered = cursor - 1;
  return reader;
}

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

TEST_F(HealthOfAChain, NamesAReaderFromOutsideThatHoldsUpABranch) {
  hold_up(14);
  EXPECT_THAT(HealthWatch().streams_to_see(graph_, present_, 8000), ::testing::IsEmpty()) << "nothing runs";
  EXPECT_THAT(watch_.streams_to_see(graph_, present_, 3000), ::testing::IsEmpty());
  EXPECT_THAT(watch_.streams_to_see(graph_, present_, 4000), ElementsAre("v", "w"));
  watch_.saw({{"v", {14, false, {lossless("p/middle", 5, 15), lossless("x", 77, 3)}}}}, graph_, 8000);
  const Health health = look(8000);
  EXPECT_EQ(health.reason,
            "cam: held up by the reader \"x\" (pid 77) of the stream \"v\", no frame for 7.0 s");
  EXPECT_EQ(condition(health, "middle"), Condition::waiting);
  EXPECT_EQ(nlohmann::json::parse(health_json(health, "p"))["stages"][index("cam")]["condition"], "held up");
}

TEST_F(HealthOfAChain, IsBadForAReaderThatNobodyKnowsToo) {
  hold_up(14);
  (void)look(1000);
  EXPECT_THAT(look(8000).reason, HasSubstr("cam: held up by a reader that does not show itself"));
}

TEST_F(HealthOfAChain, DoesNotBlameAReaderThatIsBehindAStageOfOurs) {
  hold_up(14);
  for (InputReport& input : stage("middle").inputs) input.newest = 2;
  (void)look(1000);
  watch_.saw({{"v", {14, false, {lossless("p/middle", 5, 3), lossless("x", 77, 9)}}}}, graph_, 8000);
  const Health health = look(8000);
  EXPECT_EQ(condition(health, "cam"), Condition::waiting);
  EXPECT_EQ(condition(health, "middle"), Condition::stalled);
  EXPECT_THAT(health.reason, Not(HasSubstr("held up")));
}

TEST_F(HealthOfAChain, DoesNotBlameAReaderThatNobodyWaitsFor) {
  all_move(14, 1000);
  (void)look(1000);
  ReaderStatus demoted = lossless("x", 77, 3), queue = demoted;
  demoted.demoted = true;
  queue.policy = Policy::queue;
  watch_.saw({{"v", {14, false, {demoted, queue}}}}, graph_, 8000);
  EXPECT_EQ(condition(look(8000), "cam"), Condition::stalled);
}

TEST_F(HealthOfAChain, BeginsToCountWhenAStageRuns) {
  all_move(10, 1000);
  stage("end").state = "starting";
  watch_ = HealthWatch();
  moves("cam", 11, 60000);
  moves("middle", 11, 60000);
  EXPECT_EQ(look(60000).reason, "end: has no process that runs yet");
  stage("end").state = "running";
  EXPECT_EQ(look(61000).reason, "end: no frame yet");
  for (InputReport& input : stage("end").inputs) input.frames = input.newest = 0;
  moves("cam", 12, 66500);
  moves("middle", 12, 66500);
  EXPECT_EQ(look(65999).reason, "end: no frame yet");
  EXPECT_EQ(look(66500).reason, "end: stalled, no frame yet after 5.5 s");
}

TEST_F(HealthOfAChain, GivesARestartedStageItsTime) {
  all_move(10, 1000);
  stage("cam").state = "backing off";
  EXPECT_EQ(look(4000).reason, "cam: restarting");
  stage("cam").state = "running";
  EXPECT_EQ(look(20000).reason, "cam: no frame since it was restarted");
  EXPECT_EQ(look(25001).reason, "cam: stalled, no frame for 24.0 s");
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

class HealthOfAJoin : public HealthOf {
 protected:
  HealthOfAJoin()
      : HealthOf(
            "  left: {use: camera, out: {video: l}}\n"
            "  right: {use: camera, out: {video: r}}\n"
            "  both: {use: show, in: [l, r], join: {tolerance: 20ms}}\n") {}
};

TEST_F(HealthOfAJoin, NamesTheInputThatStallsAndNotTheJoinThatWaitsForIt) {
  all_move(10, 1000);
  moves("right", 14, 1200);  // the join holds some of these
  stage("right").blocked = stage("right").outputs[0].blocked = true;
  const Health health = look(8000);
  EXPECT_EQ(health.reason, "left: stalled, no frame for 7.0 s");
  EXPECT_EQ(condition(health, "right"), Condition::waiting);
  EXPECT_EQ(condition(health, "both"), Condition::waiting);
}

TEST_F(HealthOfAJoin, NamesTheJoinThatTakesNothing) {
  all_move(10, 1000);
  for (const char* name : {"left", "right"}) {
    moves(name, 14, 1200);
    stage(name).blocked = stage(name).outputs[0].blocked = true;
  }
  EXPECT_EQ(look(8000).reason, "both: stalled, no frame for 7.0 s");
}

// Programs count nothing themselves.
class HealthOfPrograms : public HealthOf {
 protected:
  HealthOfPrograms()
      : HealthOf(
            "  from: {use: exec, out: a, options: {command: [x]}}\n"
            "  into: {use: exec, in: a, options: {command: [x]}}\n"
            "  aside: {use: exec, options: {command: [x]}}\n") {
    for (StageReport& stage : report_.stages) stage.inputs.clear(), stage.outputs.clear();
  }
  void saw(std::uint64_t given, std::vector<ReaderStatus> readers, std::int64_t now_ms) {
    watch_.saw({{"a", {given, false, std::move(readers)}}}, graph_, now_ms);
  }
};

TEST_F(HealthOfPrograms, IsGoodWhileTheirStreamsMove) {
  EXPECT_EQ(look(0).reason, "from: no frame yet; into: no frame yet");
  EXPECT_THAT(watch_.streams_to_see(graph_, present_, 0), ElementsAre("a"));
  saw(5, {lossless("p/into", 5, 5)}, 1000);
  EXPECT_TRUE(look(5000).good) << look(5000).reason;
  saw(5, {lossless("p/into", 5, 6)}, 5000);
  const Health health = look(7000);
  EXPECT_EQ(health.reason, "from: stalled, no frame for 6.0 s");
  EXPECT_EQ(condition(health, "into"), Condition::ok);
  EXPECT_EQ(condition(look(12000), "into"), Condition::waiting) << "it has taken them all";
}

TEST_F(HealthOfPrograms, NamesTheOneThatTakesNothing) {
  ReaderStatus queue = lossless("p/into", 5, 5);
  queue.policy = Policy::queue;  // nobody waits for it
  saw(5, {queue}, 1000);
  (void)look(1000);
  saw(9, {queue}, 7000);
  EXPECT_EQ(look(8000).reason, "into: stalled, no frame for 7.0 s");
}

TEST_F(HealthOfPrograms, TakesTheStreamForAReaderThatHasAnotherName) {
  saw(5, {lossless("mine", 5, 5)}, 1000);
  EXPECT_TRUE(look(1000).good) << look(1000).reason;
}

TEST_F(HealthOfPrograms, NamesWhoHoldsThemUp) {
  saw(5, {lossless("p/into", 5, 6), lossless("x", 77, 2)}, 1000);
  (void)look(1000);
  EXPECT_EQ(look(8000).reason,
            "from: held up by the reader \"x\" (pid 77) of the stream \"a\", no frame for 7.0 s");
}

class HealthOfAProgramAlone : public HealthOf {
 protected:
  HealthOfAProgramAlone() : HealthOf("  alone: {use: exec, options: {command: [x]}}\n") {}
};

class HealthOfALaunchLineAlone : public HealthOf {
 protected:
  HealthOfALaunchLineAlone()
      : HealthOf("  alone: {use: gst, options: {launch: \"videotestsrc ! fakesink\"}}\n") {}
};

TEST_F(HealthOfALaunchLineAlone, IsGoodWhileItRuns) {
  EXPECT_TRUE(look(100'000).good) << look(100'000).reason;
  stage("alone").state = "starting";
  EXPECT_EQ(look(100'000).reason, "alone: has no process that runs yet");
}

TEST_F(HealthOfAProgramAlone, IsGoodWhileItRuns) {
  EXPECT_TRUE(look(0).good) << look(0).reason;
  EXPECT_TRUE(look(100'000).good);
  stage("alone").state = "backing off";
  EXPECT_FALSE(look(100'000).good);
}

TEST_F(HealthOfAChain, IsALineForWhoeverManagesTheService) {
  all_move(10, 1000);
  EXPECT_EQ(health_line(look(1000)), "well: 3 stages");
  EXPECT_EQ(health_line(look(8000)), "cam: stalled, no frame for 7.0 s");
}

}  // namespace
}  // namespace reel
