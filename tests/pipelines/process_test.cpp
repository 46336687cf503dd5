// What a stage's process is: its group, its processors, its priority, its descriptors.
#include "running_pipeline.hpp"

#include <csignal>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <reel_test/process_facts.hpp>
#include <reel_test/wait_until.hpp>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace reel_test {
namespace {

TEST(StageProcess, RunsAsTheFileSays) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(R"(
version: 1
stages:
  source: {use: synthetic.source, cpus: [0], nice: 7, options: {width: 64, height: 64, fps: 50}, out: numbers}
  sink: {use: synthetic.verify, in: numbers}
)");
  ASSERT_TRUE(pipeline.wait_for_frames("sink", 3)) << pipeline.reel().errors();
  const pid_t source = pipeline.wait_for_stage("source");
  EXPECT_EQ(::getpgid(source), source);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, static_cast<id_t>(source)), 7);
  cpu_set_t cpus;
  ASSERT_EQ(::sched_getaffinity(source, sizeof(cpus), &cpus), 0);
  EXPECT_EQ(CPU_COUNT(&cpus), 1);
  EXPECT_TRUE(CPU_ISSET(0, &cpus));
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
}

TEST(StageProcess, InheritsNoDescriptorOfOurs) {
  const TempRuntimeDir runtime;
  const int leak = ::open("/proc/self/status", O_RDONLY);  // without CLOEXEC: reel has it
  ASSERT_GE(leak, 0);
  RunningPipeline pipeline(
      "{version: 1, stages: {a: {use: exec, options: {command: 'ls -l /proc/self/fd; exec sleep 1000'}}}}");
  const pid_t host = pipeline.wait_for_stage("a");
  ::close(leak);
  ASSERT_TRUE(wait_until([&] { return !pipeline.reel().wait_for_line("total").empty(); }));
  for (const std::string& target : descriptor_targets(host))
    EXPECT_EQ(target.find("/status"), std::string::npos) << target;
  pipeline.reel().signal(SIGINT);
  EXPECT_TRUE(pipeline.wait().ok()) << pipeline.reel().errors();
}

TEST(StageProcess, IsRefusedProcessorsThatAreNotThere) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(
      "{version: 1, stages: {a: {use: exec, cpus: [0, 1023], options: {command: 'true'}}}}");
  EXPECT_EQ(pipeline.wait().code, 2);
  EXPECT_THAT(pipeline.reel().errors(), ::testing::HasSubstr("pipeline.yaml:1: 'cpus' of stage 'a'"));
  EXPECT_THAT(pipeline.reel().errors(), ::testing::HasSubstr("processor 1023: this machine has "));
}

}  // namespace
}  // namespace reel_test
