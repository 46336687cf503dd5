// `reel` as process 1 of a container, where nobody else waits for what ends and the kernel keeps signals from
// it.
#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <reel_test/container.hpp>
#include <reel_test/process_facts.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/scratch_dir.hpp>

#include <reel/channel/frame_writer.hpp>

namespace {

using reel_test::ChildProcess;
using reel_test::wait_until;

std::vector<pid_t> children_of(pid_t pid) {
  const std::string text = std::to_string(pid);
  std::ifstream file("/proc/" + text + "/task/" + text + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

class FirstProcess : public testing::Test {
 protected:
  void SetUp() override {
    options_.user_namespace = reel_test::missing_containers().empty();
    const std::string missing = options_.user_namespace ? "" : reel_test::missing_containers(options_);
    if (!missing.empty()) GTEST_SKIP() << missing;
    options_.shared = {{runtime_.path(), "/run/streams"}, {scratch_.path(), "/srv"}};
  }
  [[nodiscard]] ChildProcess reel(const ChildProcess::Arguments& arguments) {
    return reel_test::start_contained(options_, reel_test::reel_command(), arguments,
                                      {{"REEL_RUNTIME_DIR", "/run/streams"}});
  }
  [[nodiscard]] const reel_test::ScratchDir& scratch() const { return scratch_; }

 private:
  reel_test::TempRuntimeDir runtime_;
  reel_test::ScratchDir scratch_;
  reel_test::ContainerOptions options_;
};

TEST_F(FirstProcess, WaitsForWhatStagesLeaveBehindAndDrainsOnSigterm) {
  scratch().write("pipeline.yaml", R"(
version: 1
name: leaver
drain_timeout: 200ms
stages:
  source: {use: synthetic.source, options: {format: GRAY8, width: 64, height: 36, fps: 20}, out: grey}
  program:
    use: exec
    options: {command: [sh, -c, "for i in 1 2 3 4 5; do setsid sh -c 'sleep 0.1; echo gone >> /srv/gone' & done; sleep 600"]}
    in: grey
)");
  ChildProcess pipeline = reel({"run", "/srv/pipeline.yaml"});
  const auto gone = [&] { return scratch().read("gone").size() == 5 * std::string("gone\n").size(); };
  ASSERT_TRUE(wait_until(gone)) << pipeline.errors();
  const pid_t first = reel_test::container_pid(pipeline);
  EXPECT_TRUE(wait_until([&] { return children_of(first).size() == 1; })) << "all but what it goes on in";
  ASSERT_EQ(::kill(first, SIGTERM), 0);
  EXPECT_EQ(pipeline.wait().code, 0) << pipeline.errors();
}

TEST_F(FirstProcess, PassesSignalsOn) {
  const std::string stream = reel_test::unique_name("s");
  const reel::FrameWriter silent(stream, reel::Format());
  ChildProcess waiting = reel({"verify", stream, "--frames", "1", "--timeout", "600"});
  ASSERT_TRUE(wait_until([&] { return !silent.readers().empty(); })) << waiting.errors();
  ASSERT_EQ(::kill(reel_test::container_pid(waiting), SIGTERM), 0);
  EXPECT_EQ(waiting.wait().code, 1);
  EXPECT_THAT(waiting.errors(), testing::HasSubstr("interrupted"));
}

TEST_F(FirstProcess, EndsAsItsCommandDoes) {
  EXPECT_EQ(reel({"ls"}).wait().code, 0);
  EXPECT_EQ(reel({"no-such-command"}).wait().code, 2);
}

}  // namespace
