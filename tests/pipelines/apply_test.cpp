// Streams that change hands, and places that are kept, while a pipeline is changed or a stage restarted: its
// other stages notice nothing.
#include "running_pipeline.hpp"

#include <csignal>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/channel/frame_writer.hpp>
#include <reel/pipeline/control.hpp>

namespace reel_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

const std::string kHead = "version: 1\nname: chain\nstages:\n";
const std::string kSound = "{use: synthetic.source, options: {rate: 48000, channels: 2, fps: 200}, out: ";
const std::string kSource = "  source: " + kSound + "raw}\n";
const std::string kLevel = "  level: {use: audio.level, in: raw, out: loud}\n";
const std::string kCheck = "  check: {use: synthetic.verify, in: loud, options: {pattern: none}}\n";
const std::string kWitness = "  witness: {use: synthetic.verify, in: raw, options: {pattern: none}}\n";

std::vector<std::string> change_to(const RunningPipeline& pipeline, const std::string& stages) {
  return reel::PipelineControl("chain").apply(pipeline.scratch().write("changed.yaml", kHead + stages));
}

void expect_more(const RunningPipeline& pipeline, const std::string& stage) {
  const long seen = pipeline.frames(stage);
  EXPECT_TRUE(pipeline.wait_for_frames(stage, seen + 200)) << stage << " got no more\n" << pipeline.log();
}

void expect_whole(const RunningPipeline& pipeline, const std::string& stage) {
  const auto verdict = pipeline.verdict(stage);
  for (const char* fault : {"gaps", "duplicates", "corrupted", "skipped", "lapped"})
    EXPECT_EQ(verdict[fault], 0) << stage << ": " << fault << "\n" << pipeline.log();
}

long written(const RunningPipeline& pipeline, const std::string& stage) {
  return pipeline.stage_summary(stage)["outputs"][0]["frames"].get<long>();
}

void end(RunningPipeline& pipeline) {
  reel::PipelineControl("chain").stop();
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
}

TEST(Apply, AFilterOfAnotherNameTakesTheStreamOfTheOneBefore) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kHead + kSource + kLevel + kCheck);
  ASSERT_TRUE(pipeline.wait_for_frames("check", 50)) << pipeline.log();
  const pid_t check = pipeline.wait_for_stage("check");
  EXPECT_THAT(change_to(pipeline, kSource + "  meter: {use: audio.level, in: raw, out: loud}\n" + kCheck),
              ElementsAre("level: taken out", "meter: added"));
  expect_more(pipeline, "check");
  EXPECT_EQ(pipeline.stage("check"), check);
  end(pipeline);
  expect_whole(pipeline, "check");
  EXPECT_EQ(pipeline.verdict("check")["frames"], written(pipeline, "level") + written(pipeline, "meter"));
}

TEST(Apply, ASourceOfAnotherNameTakesTheStreamOfTheOneBefore) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kHead + kSource + kLevel + kCheck + kWitness);
  ASSERT_TRUE(pipeline.wait_for_frames("check", 50)) << pipeline.log();
  EXPECT_THAT(change_to(pipeline, "  origin: " + kSound + "raw}\n" + kLevel + kCheck + kWitness),
              ElementsAre("source: taken out", "origin: added"));
  expect_more(pipeline, "check");
  end(pipeline);
  for (const char* stage : {"check", "witness"}) {
    expect_whole(pipeline, stage);
    EXPECT_EQ(pipeline.verdict(stage)["frames"], written(pipeline, "source") + written(pipeline, "origin"));
  }
}

TEST(Apply, TwoStagesExchangeTheirStreams) {
  const TempRuntimeDir runtime;
  const std::string readers =
      "  one: {use: synthetic.verify, in: raw, options: {pattern: none}}\n"
      "  two: {use: synthetic.verify, in: other, options: {pattern: none}}\n";
  RunningPipeline pipeline(kHead + "  a: " + kSound + "raw}\n  b: " + kSound + "other}\n" + readers);
  ASSERT_TRUE(pipeline.wait_for_frames("two", 50)) << pipeline.log();
  for (int i = 0; i < 3; ++i) {
    const bool there = i % 2 == 0;
    EXPECT_THAT(
        change_to(pipeline, "  a: " + kSound + (there ? "other" : "raw") + "}\n  b: " + kSound +
                                (there ? "raw" : "other") + "}\n" + readers),
        UnorderedElementsAre("a: restarted: what it writes changed", "b: restarted: what it writes changed"));
    expect_more(pipeline, "one");
    expect_more(pipeline, "two");
  }
  end(pipeline);
  expect_whole(pipeline, "one");
  expect_whole(pipeline, "two");
  EXPECT_EQ(pipeline.stage_summary("a")["restarts"], 3);
  EXPECT_EQ(pipeline.stage_summary("b")["restarts"], 3);
  EXPECT_THAT(pipeline.log(), Not(HasSubstr("backing off"))) << "none came before the other had left";
}

TEST(Apply, AnInputThatIsNotReadAnyMoreIsNotWaitedFor) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kHead + kSource + kLevel + kCheck + kWitness);
  ASSERT_TRUE(pipeline.wait_for_frames("check", 50)) << pipeline.log();
  (void)change_to(pipeline, kSource + kLevel + kCheck +
                                "  witness: {use: synthetic.verify, in: loud, options: {pattern: none}}\n");
  expect_more(pipeline, "witness");
  end(pipeline);
  EXPECT_THAT(pipeline.log(), Not(HasSubstr("is gone: what it has still to take is kept")));
  expect_whole(pipeline, "check");
}

TEST(Apply, WhatReadsLosslesslySinceThenKeepsItsPlaceWhenItIsKilled) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kHead + kSource + kLevel + kCheck);
  ASSERT_TRUE(pipeline.wait_for_frames("check", 50)) << pipeline.log();
  const std::string more =
      "  witness: {use: synthetic.verify, in: raw, options: {pattern: none}, restart_delay: 50ms}\n";
  EXPECT_THAT(change_to(pipeline, kSource + kLevel + kCheck + more), ElementsAre("witness: added"));
  for (int life = 0; life < 3; ++life) {
    expect_more(pipeline, "witness");
    const pid_t pid = pipeline.wait_for_stage("witness");
    ASSERT_EQ(::kill(pid, SIGKILL), 0);
    (void)pipeline.wait_for_stage("witness", pid);
  }
  expect_more(pipeline, "witness");
  // Taken out and added again, it is another, whose place is kept as well.
  EXPECT_THAT(change_to(pipeline, kSource + kLevel + kCheck), ElementsAre("witness: taken out"));
  end(pipeline);
  EXPECT_EQ(pipeline.stage_summary("witness")["restarts"], 3);
  EXPECT_EQ(pipeline.stage_summary("witness")["inputs"][0]["lapped"], 0);
  EXPECT_EQ(pipeline.verdict("witness")["gaps"], 0) << pipeline.log();
  EXPECT_THAT(pipeline.log(), HasSubstr("lossless reader \"chain/witness\""));
  expect_whole(pipeline, "check");
}

TEST(Apply, AStageTakenOutAndAddedAgainHasItsPlaceKept) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kHead + kSource + kLevel + kCheck + kWitness);
  ASSERT_TRUE(pipeline.wait_for_frames("witness", 50)) << pipeline.log();
  (void)change_to(pipeline, kSource + kLevel + kCheck);
  ASSERT_TRUE(wait_until([&] { return pipeline.stage("witness") == 0; })) << pipeline.log();
  (void)change_to(pipeline, kSource + kLevel + kCheck + kWitness);
  const pid_t pid = pipeline.wait_for_stage("witness");
  expect_more(pipeline, "check");
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  (void)pipeline.wait_for_stage("witness", pid);
  expect_more(pipeline, "check");
  end(pipeline);
  EXPECT_THAT(pipeline.log(), Not(HasSubstr("will not come back")));
  expect_whole(pipeline, "check");
}

TEST(Apply, AStreamThatAnotherProcessWritesIsRefused) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kHead + kSource + kLevel + kCheck);
  ASSERT_TRUE(pipeline.wait_for_frames("check", 1)) << pipeline.log();
  const reel::FrameWriter elsewhere("taken", reel::Format{});
  expect_error(reel::ErrorCode::in_use, {"taken", std::to_string(::getpid())}, [&] {
    (void)change_to(pipeline, kSource + kLevel + kCheck + "  more: " + kSound + "taken}\n");
  });
  EXPECT_THAT(reel::PipelineControl("chain").status().stages, ElementsAre("source", "level", "check"));
  end(pipeline);
}

// Every set that a life of the stage has listed, and how often.
std::map<std::string, int> sets_of(const RunningPipeline& pipeline) {
  std::map<std::string, int> sets;
  std::istringstream output(const_cast<RunningPipeline&>(pipeline).reel().output());
  for (std::string line; std::getline(output, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || json.value("stage", "") != "pairs") continue;
    for (const auto& set : json["first_sets"]) ++sets[set.get<std::string>()];
  }
  return sets;
}

TEST(Restart, OfAStageWhoseInputsAreJoinedLosesNoSet) {
  constexpr int kFrames = 400;
  const TempRuntimeDir runtime;
  const std::string picture = "{use: synthetic.source, options: {width: 64, height: 64, fps: 100, frames: " +
                              std::to_string(kFrames) + "}, out: ";
  RunningPipeline pipeline(kHead + "  left: " + picture + "left}\n  right: " + picture + "right}\n" +
                           "  pairs: {use: synthetic.sets, in: [left, right], join: 1ms, options: {list: "
                           "100000}}\n");
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(pipeline.wait_for_frames("pairs", i * 100)) << pipeline.log();
    const pid_t pid = pipeline.wait_for_stage("pairs");
    reel::PipelineControl("chain").restart("pairs");
    (void)pipeline.wait_for_stage("pairs", pid);
  }
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const auto sets = sets_of(pipeline);
  EXPECT_EQ(sets.size(), static_cast<std::size_t>(kFrames)) << pipeline.reel().output() << pipeline.log();
  for (const auto& [set, times] : sets) EXPECT_EQ(times, 1) << set;
  const auto pairs = pipeline.stage_summary("pairs");
  EXPECT_EQ(pairs["restarts"], 3);
  for (const auto& input : pairs["inputs"]) {
    EXPECT_EQ(input["frames"], kFrames) << pairs;
    EXPECT_EQ(input["lapped"].get<int>() + input["skipped"].get<int>(), 0) << pairs;
  }
}

}  // namespace
}  // namespace reel_test
