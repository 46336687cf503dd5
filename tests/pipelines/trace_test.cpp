// `reel trace` on real pipelines: what it writes is opened by follow_frames.py, as a viewer would, which
// follows frames from process to process.
#include "running_pipeline.hpp"

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <reel_test/needs.hpp>
#include <reel_test/process_facts.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/stats/stage_page.hpp>

namespace reel_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kChain = R"(
version: 1
name: chain
stages:
  source: {use: synthetic.source, options: {width: 64, height: 64, fps: 200}, out: numbers}
  check: {use: synthetic.verify, in: numbers}
)";

// `options` and `stages` as the script takes them.
ExitStatus follow(const std::string& file, const std::vector<std::string>& stages, std::string& said,
                  const std::vector<std::string>& options = {}) {
  std::vector<std::string> arguments{REEL_FOLLOW_FRAMES};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(file);
  arguments.insert(arguments.end(), stages.begin(), stages.end());
  auto script = ChildProcess::program("python3", arguments);
  const ExitStatus status = script.wait();
  said = script.output() + script.errors();
  return status;
}

// Whether the stage writes spans now, as its own page says.
bool is_traced(pid_t stage) {
  for (int fd = 3; fd < 64; ++fd) {
    const std::string path = "/proc/" + std::to_string(stage) + "/fd/" + std::to_string(fd);
    std::error_code failed;
    const std::string target = std::filesystem::read_symlink(path, failed).string();
    if (target.find("/memfd:reel-stage") == std::string::npos) continue;
    reel::UniqueFd page(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!page) return false;  // it has just gone
    const auto view = reel::StagePageView::open(std::move(page));
    return view.page().traced.load(std::memory_order_relaxed) != 0;
  }
  return false;
}

class TraceOfAPipeline : public testing::Test {
 protected:
  void SetUp() override { REEL_NEEDS(missing_programs({"python3"})); }

  void run(const std::string& text, const std::string& last) {
    pipeline_.emplace(text);
    ASSERT_TRUE(pipeline_->wait_for_frames(last, 5)) << pipeline_->log();
  }
  void TearDown() override {
    if (!pipeline_) return;
    if (pipeline_->reel().running()) pipeline_->reel().signal(SIGINT);
    EXPECT_TRUE(pipeline_->wait().ok()) << pipeline_->log();
  }
  ChildProcess start_trace(const std::string& name) const {
    return ChildProcess::program(reel_command(), {"trace", file(name), "--seconds", "600"});
  }
  [[nodiscard]] std::string file(const std::string& name) const { return scratch_.file(name); }
  [[nodiscard]] nlohmann::json json(const std::string& name) const {
    return nlohmann::json::parse(scratch_.read(name));
  }
  [[nodiscard]] std::size_t files() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(scratch_.path())) ++count;
    return count;
  }
  void expect_followed(const std::string& name, const std::vector<std::string>& stages,
                       const std::vector<std::string>& options = {}) const {
    std::string said;
    EXPECT_TRUE(follow(file(name), stages, said, options).ok()) << said;
    EXPECT_THAT(said, HasSubstr("followed "));
  }

  TempRuntimeDir runtime_;
  ScratchDir scratch_;
  std::optional<RunningPipeline> pipeline_;
};

#ifdef REEL_HAVE_CAMERA_AND_FILTER
TEST_F(TraceOfAPipeline, FollowsFramesFromTheCameraThroughAFilterToTheSink) {
  run(std::string(R"(
version: 1
name: chain
stages:
  camera: {use: capture, options: {uri: )") +
          REEL_CONFIGS + R"(/../apps/media/hello.mp4, loop: true}, out: {video: camera}}
  flip: {use: opencv.flip, in: camera, out: mirrored}
  check: {use: synthetic.verify, options: {pattern: none}, in: mirrored}
)",
      "check");
  const ReelRun trace = run_reel({"trace", file("t.json"), "chain", "--seconds", "1"});
  ASSERT_EQ(trace.status, 0) << trace.errors;
  EXPECT_THAT(trace.output, HasSubstr("spans of 3 stages"));
  expect_followed("t.json", {"camera", "flip", "check"});
}
#endif

// Which frame is whose is seen from the trace alone; a script that would take anything shows nothing.
TEST_F(TraceOfAPipeline, IsRefusedByTheScriptOnceItsOrderIsBroken) {
  run(kChain, "check");
  ASSERT_EQ(run_reel({"trace", file("t.json"), "--seconds", "0.5"}).status, 0);
  expect_followed("t.json", {"source", "check"});
  const nlohmann::json good = json("t.json");
  const auto refusal_of = [&](const char* name, const char* field, double by) {
    nlohmann::json broken = good;
    for (nlohmann::json& event : broken["traceEvents"])
      if (event["ph"] == "X" && event["name"] == name) event[field] = event[field].get<double>() + by;
    scratch_.write("broken.json", broken.dump());
    std::string said;
    EXPECT_EQ(follow(file("broken.json"), {"source", "check"}, said).code, 1) << said;
    return said;
  };
  EXPECT_THAT(refusal_of("process", "ts", -1e9), HasSubstr("processed before it was published"));
  EXPECT_THAT(refusal_of("publish", "ts", 1e9), HasSubstr("outside of its publish"));
  EXPECT_THAT(refusal_of("wait", "dur", 1e9), HasSubstr("overlap"));
  EXPECT_THAT(refusal_of("process", "dur", -1e9), HasSubstr("ends before it begins"));
}

TEST_F(TraceOfAPipeline, TiesASetToTheFramesOfAllItsInputs) {
  run(R"(
version: 1
name: chain
stages:
  fast: {use: synthetic.source, options: {width: 64, height: 64, fps: 100}, out: fast}
  slow: {use: synthetic.source, options: {width: 64, height: 64, fps: 50}, out: slow}
  pairs: {use: synthetic.sets, in: [fast, slow], join: {tolerance: 4ms, time: media}}
)",
      "pairs");
  ASSERT_EQ(run_reel({"trace", file("t.json"), "--seconds", "1"}).status, 0);
  expect_followed("t.json", {"fast", "pairs"}, {"--some"});  // every other one has no partner
  expect_followed("t.json", {"slow", "pairs"}, {"--some"});
  const nlohmann::json trace = json("t.json");
  for (const auto& event : trace["traceEvents"]) {
    if (event["name"] == "process") {
      EXPECT_EQ(event["args"]["frames"].size(), 2u) << event;
    }
  }
}

TEST_F(TraceOfAPipeline, IsWrittenWholeWhenItIsInterrupted) {
  run(kChain, "check");
  auto trace = start_trace("t.json");
  const pid_t source = pipeline_->stage("source");
  ASSERT_TRUE(wait_until([&] { return is_traced(source); }));
  const long seen = pipeline_->frames("check");
  ASSERT_TRUE(pipeline_->wait_for_frames("check", seen + 20));
  EXPECT_EQ(files(), 0u) << "nothing of it is there before it is whole";
  trace.signal(SIGINT);
  EXPECT_TRUE(trace.wait().ok()) << trace.errors();
  EXPECT_THAT(trace.output(), HasSubstr("ended by a signal"));
  expect_followed("t.json", {"source", "check"});
  EXPECT_EQ(files(), 1u);
}

TEST_F(TraceOfAPipeline, CostsNothingOnceTheLastOfThemIsOver) {
  run(kChain, "check");
  const pid_t source = pipeline_->stage("source");
  EXPECT_FALSE(is_traced(source));
  auto killed = start_trace("killed.json");
  ASSERT_TRUE(wait_until([&] { return is_traced(source); }));
  ASSERT_EQ(run_reel({"trace", file("t.json"), "--seconds", "0.5"}).status, 0);
  expect_followed("t.json", {"source", "check"});
  EXPECT_TRUE(is_traced(source)) << "the other one goes on";
  killed.signal(SIGKILL);
  EXPECT_TRUE(wait_until([&] { return !is_traced(source); }));
  ASSERT_EQ(run_reel({"trace", file("again.json"), "--seconds", "0.5"}).status, 0);
  expect_followed("again.json", {"source", "check"});
}

TEST_F(TraceOfAPipeline, HasBothProcessesOfAStageThatWasKilled) {
  run(kChain, "check");
  auto trace = start_trace("t.json");
  const pid_t before = pipeline_->stage("check");
  ASSERT_TRUE(wait_until([&] { return is_traced(before); }));
  ASSERT_TRUE(pipeline_->wait_for_frames("check", pipeline_->frames("check") + 50));
  ASSERT_EQ(::kill(before, SIGKILL), 0);
  const pid_t after = pipeline_->wait_for_stage("check", before);
  ASSERT_NE(after, 0);
  ASSERT_TRUE(pipeline_->wait_for_frames("check", pipeline_->frames("check") + 50));
  trace.signal(SIGTERM);
  ASSERT_TRUE(trace.wait().ok()) << trace.errors();
  std::map<pid_t, int> spans;
  const nlohmann::json written = json("t.json");
  for (const auto& event : written["traceEvents"])
    if (event["name"] == "process") ++spans[event["pid"].get<pid_t>()];
  EXPECT_GT(spans[before], 0);
  EXPECT_GT(spans[after], 0);
  EXPECT_EQ(spans.size(), 2u);
}

TEST_F(TraceOfAPipeline, HasStagesThatAreAddedMeanwhile) {
  run(kChain, "check");
  auto trace = start_trace("t.json");
  ASSERT_TRUE(wait_until([&] { return is_traced(pipeline_->stage("source")); }));
  const std::string more = scratch_.write(
      "more.yaml",
      std::string(kChain) + "  late: {use: synthetic.verify, in: {stream: numbers, wait: false}}\n");
  ASSERT_EQ(run_reel({"apply", more}).status, 0);
  ASSERT_TRUE(wait_until([&] { return is_traced(pipeline_->stage("late")); }));
  ASSERT_TRUE(pipeline_->wait_for_frames("late", 50));
  trace.signal(SIGINT);
  ASSERT_TRUE(trace.wait().ok()) << trace.errors();
  expect_followed("t.json", {"source", "late"});
  expect_followed("t.json", {"source", "check"});
}

TEST_F(TraceOfAPipeline, NamesAProgramAndSaysThatItHasNoSpans) {
  run(std::string(kChain) +
          "  program: {use: exec, options: {command: [sleep, \"600\"]}, in: {stream: numbers, wait: "
          "false}}\n",
      "check");
  const ReelRun run = run_reel({"trace", "-", "--seconds", "0.3"});
  ASSERT_EQ(run.status, 0) << run.errors;
  std::set<std::string> names, labels;
  const nlohmann::json written = run.json();
  for (const auto& event : written["traceEvents"]) {
    if (event["name"] == "process_name") names.insert(event["args"]["name"].get<std::string>());
    if (event["name"] == "process_labels") labels.insert(event["args"]["labels"].get<std::string>());
  }
  EXPECT_THAT(names, testing::Contains("program (exec)"));
  EXPECT_THAT(labels, testing::ElementsAre(HasSubstr("no spans")));
  EXPECT_THAT(run.errors, HasSubstr("spans of 3 stages"));
}

TEST_F(TraceOfAPipeline, IsWrittenAlsoWhenThePipelineEndsMeanwhile) {
  run(kChain, "check");
  auto trace = start_trace("t.json");
  const pid_t source = pipeline_->stage("source");
  ASSERT_TRUE(wait_until([&] { return is_traced(source); }));
  ASSERT_TRUE(pipeline_->wait_for_frames("check", pipeline_->frames("check") + 20));
  ASSERT_EQ(run_reel({"stop", "--wait"}).status, 0);
  EXPECT_TRUE(trace.wait().ok()) << trace.errors();
  EXPECT_THAT(trace.output(), HasSubstr("the pipeline has ended"));
  expect_followed("t.json", {"source", "check"});
}

TEST_F(TraceOfAPipeline, SaysAtOnceWhereTheFileCannotBe) {
  run(kChain, "check");
  for (const std::string& path : {file("no/such/t.json"), std::string("/proc/t.json")}) {
    const ReelRun run = run_reel({"trace", path, "--seconds", "600"});
    EXPECT_EQ(run.status, 1) << path;
    EXPECT_THAT(run.errors, HasSubstr(path + ": creating the file: "));
    EXPECT_THAT(run.errors, HasSubstr("set FILE to a place that can be written"));
  }
  for (const std::string& path : {scratch_.path(), std::string("/dev/null")}) {
    const ReelRun run = run_reel({"trace", path, "--seconds", "600"});
    EXPECT_EQ(run.status, 1) << path;
    EXPECT_THAT(run.errors, HasSubstr(path + ": there is something else than a file"));
  }
  auto full =
      ChildProcess::program("sh", {"-c", "exec \"$0\" trace - --seconds 0.2 > /dev/full", reel_command()});
  EXPECT_EQ(full.wait().code, 1);
  EXPECT_THAT(full.errors(), HasSubstr("cannot write the output"));
  EXPECT_EQ(files(), 0u);
}

TEST(TraceOfNothing, SaysWhatThereIs) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  const ReelRun none = run_reel({"trace", scratch.file("t.json")});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.errors, HasSubstr("no pipeline runs (looked in " + runtime.path()));
  const ReelRun other = run_reel({"trace", scratch.file("t.json"), "nobody"});
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.errors, HasSubstr("no pipeline \"nobody\" runs"));
  EXPECT_EQ(run_reel({"trace", scratch.file("t.json"), "--seconds", "0"}).status, 2);
  EXPECT_THAT(scratch.read("t.json"), IsEmpty());
}

}  // namespace
}  // namespace reel_test
