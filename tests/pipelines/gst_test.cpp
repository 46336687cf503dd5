// `use: gst`: launch lines as stages of `reel run`. No test sets GST_PLUGIN_PATH: a stage finds Reel's
// elements itself.
#include "running_pipeline.hpp"

#include <algorithm>
#include <csignal>
#include <map>

#include <gmock/gmock.h>
#include <reel_test/run_reel.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/pipeline/control.hpp>

namespace reel_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kLive = R"(
version: 1
name: live
stages:
  source: {use: synthetic.source, options: {width: 64, height: 48, fps: 200}, out: raw}
  turn:
    use: gst
    in: raw
    out: turned
    restart_delay: 50ms
    options: {launch: "reelsrc ! videoflip video-direction=180 ! reelsink"}
  sink: {use: synthetic.verify, in: turned, options: {pattern: none}}
)";

TEST(GstStage, TurnsEveryPictureOfAStreamAround) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
name: turned
stages:
  source:
    use: gst
    out: {video: raw}
    options: {launch: "videotestsrc num-buffers=20 ! video/x-raw,format=GRAY8,width=64,height=48 ! reelsink sync=false"}
  turn: {use: gst, in: raw, out: turned, options: {launch: "reelsrc ! videoflip video-direction=180 ! reelsink"}}
  before: {use: gst, in: raw, options: {launch: "reelsrc ! filesink location=before"}}
  after: {use: gst, in: turned, options: {launch: "reelsrc is-live=false ! filesink location=after"}}
)");
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const std::string before = pipeline.scratch().read("before");
  const std::string after = pipeline.scratch().read("after");
  constexpr std::size_t kFrame = 64 * 48;
  ASSERT_EQ(before.size(), 20 * kFrame) << "relative paths are the pipeline file's";
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < 20; ++i) {
    std::string picture = before.substr(i * kFrame, kFrame);
    std::reverse(picture.begin(), picture.end());
    EXPECT_TRUE(after.substr(i * kFrame, kFrame) == picture) << "frame " << i;
  }
  EXPECT_EQ(pipeline.stage_summary("source")["outputs"][0]["frames"], 20);
  EXPECT_EQ(pipeline.stage_summary("source")["outputs"][0]["port"], "video");
  const nlohmann::json turn = pipeline.stage_summary("turn");
  EXPECT_EQ(turn["inputs"][0]["frames"], 20) << turn;
  EXPECT_EQ(turn["inputs"][0]["verified"], 20) << turn;
  EXPECT_EQ(turn["outputs"][0]["frames"], 20) << turn;
}

TEST(GstStage, GivesItsInputsToItsElementsInTheirOrder) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
name: split
stages:
  black:
    use: gst
    out: a
    options: {launch: "videotestsrc num-buffers=5 pattern=black ! video/x-raw,format=GRAY8,width=16,height=16 ! reelsink"}
  white:
    use: gst
    out: b
    options: {launch: "videotestsrc num-buffers=5 pattern=white ! video/x-raw,format=GRAY8,width=16,height=16 ! reelsink"}
  split:
    use: gst
    in: [a, b]
    options: {launch: "reelsrc ! filesink location=first  reelsrc ! filesink location=second"}
)");
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  EXPECT_EQ(static_cast<unsigned char>(pipeline.scratch().read("first").at(0)), 16) << "black";
  EXPECT_EQ(static_cast<unsigned char>(pipeline.scratch().read("second").at(0)), 235) << "white";
}

TEST(GstStage, ReadsAndWritesAsItsFileSays) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
name: p
streams: {turned: {slots: 13, checksum: none, live: true}}
stages:
  source: {use: synthetic.source, options: {width: 64, height: 48, fps: 100}, out: raw}
  turn: {use: gst, in: {stream: raw, policy: latest, max_pins: 3}, out: turned, options: {launch: "reelsrc ! reelsink"}}
  sink: {use: gst, in: {stream: turned, policy: queue}, options: {launch: "reelsrc policy=latest ! fakesink"}}
)");
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 5)) << pipeline.log();
  const nlohmann::json streams = run_reel({"ls", "--json"}).json();
  std::map<std::string, nlohmann::json> by_name;
  for (const nlohmann::json& stream : streams) by_name[stream["name"]] = stream;
  const nlohmann::json& raw = by_name["raw"];
  EXPECT_EQ(raw["readers"][0]["name"], "p/turn") << streams;
  EXPECT_EQ(raw["readers"][0]["policy"], "latest") << streams;
  EXPECT_EQ(by_name["turned"]["slots"], 13) << streams;
  EXPECT_EQ(by_name["turned"]["readers"][0]["policy"], "latest")
      << "the line's own word goes before: " << streams;
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
}

TEST(GstStage, AsASourceDrainsByAnEndOfStreamThatReachesTheLastStage) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
name: drained
stages:
  source: {use: gst, out: raw, options: {launch: "videotestsrc is-live=true ! video/x-raw,format=I420,width=64,height=48,framerate=100/1 ! reelsink"}}
  turn: {use: gst, in: raw, out: turned, options: {launch: "reelsrc ! videoflip video-direction=180 ! reelsink"}}
  sink: {use: synthetic.verify, in: turned, options: {pattern: none}}
)");
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 30)) << pipeline.log();
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const auto published = pipeline.stage_summary("source")["outputs"][0]["frames"];
  EXPECT_EQ(pipeline.verdict("sink")["frames"], published) << pipeline.log();
  EXPECT_EQ(pipeline.verdict("sink")["gaps"], 0);
  for (const char* name : {"source", "turn", "sink"})
    EXPECT_EQ(pipeline.stage_summary(name)["state"], "finished") << name;
}

TEST(GstStage, EndsWellWhenItAloneIsStopped) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kLive);
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 30)) << pipeline.log();
  ASSERT_EQ(::kill(pipeline.wait_for_stage("turn"), SIGTERM), 0);
  ASSERT_TRUE(pipeline.wait_for_log("turn: finished")) << pipeline.log();
  ASSERT_TRUE(pipeline.wait_for_log("sink: finished")) << "it ended its stream: " << pipeline.log();
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.log();
}

TEST(GstStage, ThatIsKilledComesBackAndItsNeighboursGoOn) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kLive);
  const pid_t source = pipeline.wait_for_stage("source"), sink = pipeline.wait_for_stage("sink");
  pid_t turn = pipeline.wait_for_stage("turn");
  long frames = 0;
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(pipeline.wait_for_frames("sink", frames += 20)) << pipeline.log();
    ASSERT_EQ(::kill(turn, SIGKILL), 0);
    turn = pipeline.wait_for_stage("turn", turn);
    frames = pipeline.frames("sink");
  }
  ASSERT_TRUE(pipeline.wait_for_frames("sink", frames + 100)) << pipeline.log();
  EXPECT_EQ(pipeline.stage("source"), source);
  EXPECT_EQ(pipeline.stage("sink"), sink);
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  EXPECT_EQ(pipeline.stage_summary("turn")["restarts"], 3);
}

TEST(GstStage, KeepsTheFramesOfALosslessReaderThatIsKilled) {
  const TempRuntimeDir runtime;
  // With fewer slots than frames that are made while the reader is away.
  RunningPipeline pipeline(R"(
version: 1
name: kept
streams: {raw: {slots: 8, absence_timeout: 30s}}
stages:
  source: {use: gst, out: raw, options: {launch: "videotestsrc ! video/x-raw,format=I420,width=64,height=48,framerate=100/1 ! reelsink"}}
  sink: {use: synthetic.verify, in: raw, restart_delay: 1s, options: {pattern: none}}
)");
  const pid_t before = pipeline.wait_for_stage("sink");
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 20)) << pipeline.log();
  ASSERT_EQ(::kill(before, SIGKILL), 0);
  const long frames = pipeline.frames("source");
  ASSERT_TRUE(pipeline.wait_for_frames("sink", frames + 50)) << pipeline.log();
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  EXPECT_EQ(pipeline.verdict("sink")["gaps"], 0) << pipeline.log();
  EXPECT_GE(pipeline.stage_summary("sink")["inputs"][0]["frames"].get<long>(),
            pipeline.stage_summary("source")["outputs"][0]["frames"].get<long>());
}

TEST(GstStage, ThatIsAddedWhileThePipelineRunsHasItsPlaceKept) {
  const TempRuntimeDir runtime;
  const std::string before =
      "version: 1\nname: kept\nstreams: {raw: {absence_timeout: 30s}}\nstages:\n"
      "  source: {use: synthetic.source, options: {width: 64, height: 48, fps: 100}, out: raw}\n"
      "  sink: {use: synthetic.verify, in: raw, options: {pattern: none}}\n";
  RunningPipeline pipeline(before);
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 20)) << pipeline.log();
  (void)reel::PipelineControl("kept").apply(pipeline.scratch().write(
      "more.yaml", before + "  more: {use: gst, in: raw, restart_delay: 1s, options: {launch: reelsrc "
                            "is-live=false ! fakesink}}\n"));
  const pid_t more = pipeline.wait_for_stage("more");
  ASSERT_TRUE(pipeline.wait_for_frames("more", 20)) << pipeline.log();
  ASSERT_EQ(::kill(more, SIGKILL), 0);
  const pid_t after = pipeline.wait_for_stage("more", more);
  EXPECT_NE(after, more);
  const long frames = pipeline.frames("more");
  ASSERT_TRUE(pipeline.wait_for_frames("more", frames + 100)) << pipeline.log();
  pipeline.reel().signal(SIGINT);
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  EXPECT_THAT(pipeline.log(), HasSubstr("lossless reader \"kept/more\""));
  EXPECT_EQ(pipeline.stage_summary("more")["inputs"][0]["lapped"], 0);
}

TEST(GstStage, ThatWaitsForAReaderThatWillNotComeIsDrainedAllTheSame) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
name: alone
drain_timeout: 1h
stages:
  source: {use: gst, out: raw, options: {launch: "videotestsrc ! video/x-raw,format=I420,width=64,height=48 ! reelsink"}}
  sink: {use: gst, in: raw, options: {launch: "reelsrc ! nosuchelement"}}
)");
  EXPECT_EQ(pipeline.wait().code, 1) << pipeline.log();
  EXPECT_THAT(pipeline.log(), HasSubstr("nosuchelement"));
  EXPECT_EQ(pipeline.stage_summary("source")["state"], "finished") << pipeline.log();
}

TEST(GstStage, EndsWithAWriterThatIsGoneForGood) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
name: orphan
stages:
  source: {use: synthetic.source, restart: never, options: {width: 64, height: 48, fps: 200}, out: raw}
  turn: {use: gst, in: raw, out: turned, options: {launch: "reelsrc ! videoflip video-direction=180 ! reelsink"}}
  sink: {use: synthetic.verify, in: turned, options: {pattern: none}}
)");
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 30)) << pipeline.log();
  ASSERT_EQ(::kill(pipeline.wait_for_stage("source"), SIGKILL), 0);
  EXPECT_EQ(pipeline.wait().code, 1) << "a stage failed";
  EXPECT_EQ(pipeline.stage_summary("turn")["state"], "finished") << pipeline.log();
  EXPECT_EQ(pipeline.stage_summary("sink")["state"], "finished") << pipeline.log();
  EXPECT_EQ(pipeline.verdict("sink")["frames"], pipeline.stage_summary("turn")["inputs"][0]["frames"])
      << "all that it read went on: " << pipeline.log();
}

TEST(GstStage, WithAMissingElementIsABadConfigurationThatNamesIt) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(
      "{version: 1, stages: {a: {use: gst, out: b, options: {launch: 'videotestscr ! reelsink'}}}}");
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_THAT(pipeline.log(), AllOf(HasSubstr("exit status 2"), HasSubstr("no element 'videotestscr'"),
                                    HasSubstr("did you mean 'videotestsrc'?"), HasSubstr("install")));
  EXPECT_EQ(pipeline.stage_summary("a")["restarts"], 0);
}

TEST(GstStage, WithALineThatCannotBeParsedIsABadConfiguration) {
  const TempRuntimeDir runtime;
  for (const char* line : {"videotestsrc patern=ball ! reelsink", "videotestsrc ! ! reelsink",
                           "videotestsrc ! audio/x-raw ! reelsink"}) {
    RunningPipeline pipeline("{version: 1, stages: {a: {use: gst, out: b, options: {launch: '" +
                             std::string(line) + "'}}}}");
    EXPECT_EQ(pipeline.wait().code, 1);
    EXPECT_THAT(pipeline.log(), AllOf(HasSubstr("exit status 2"), HasSubstr("the launch line is wrong")));
    EXPECT_EQ(pipeline.stage_summary("a")["restarts"], 0);
  }
}

TEST(GstStage, FailsWithWhatAnElementSaysAndIsTriedAgain) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
stages:
  a:
    use: gst
    out: b
    restart_delay: 10ms
    restart_limit: 1
    options: {launch: "filesrc location=nothing-here name=reader ! reelsink"}
)");
  EXPECT_EQ(pipeline.wait().code, 1);
  EXPECT_THAT(pipeline.log(),
              AllOf(HasSubstr("reader (filesrc): "), HasSubstr("nothing-here"), HasSubstr("exit status 1")));
  EXPECT_EQ(pipeline.stage_summary("a")["restarts"], 1);
}

TEST(GstStage, ThatASettingCannotReachIsABadConfiguration) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
streams: {b: {memory: posix}}
stages: {a: {use: gst, out: b, options: {launch: "videotestsrc num-buffers=1 ! reelsink"}}}
)");
  const ExitStatus status = pipeline.wait();
  if (status.ok()) GTEST_SKIP() << "this reelsink has the property";
  EXPECT_THAT(pipeline.log(), AllOf(HasSubstr("exit status 2"), HasSubstr("memory posix")));
}

ReelRun check(const std::string& launch, const std::string& streams = "out: b") {
  const ScratchDir scratch;
  return run_reel(
      {"check", scratch.write("p.yaml", "version: 1\nstages:\n  a:\n    use: gst\n    " + streams +
                                            "\n    options:\n      launch: '" + launch + "'\n")});
}

TEST(GstStage, IsCheckedByGStreamerWithoutBeingRun) {
  const ReelRun fine = check("videotestsrc num-buffers=1 ! reelsink");
  EXPECT_EQ(fine.status, 0) << fine.errors;
  EXPECT_THAT(fine.errors, Not(HasSubstr("warning")));
  const ReelRun wrong = check("videotestsrc patern=ball ! reelsink");
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.errors, AllOf(HasSubstr("p.yaml:7"), HasSubstr("patern")));
  const ReelRun lacking = check("magiccamsrc ! reelsink");
  EXPECT_EQ(lacking.status, 0) << "it may be for another machine";
  EXPECT_THAT(lacking.errors, AllOf(HasSubstr("warning: "), HasSubstr("p.yaml:7"), HasSubstr("magiccamsrc")));
  const ReelRun unread = check("reelsrc ! reelsink");
  EXPECT_EQ(unread.status, 2);
  EXPECT_THAT(unread.errors, HasSubstr("has 0 inputs, and its launch line 1 'reelsrc'"));
}

}  // namespace
}  // namespace reel_test
