// A supervisor whose standard output and error nobody reads.
#include "running_pipeline.hpp"

#include <array>
#include <csignal>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <reel_test/process_facts.hpp>
#include <reel_test/wait_until.hpp>
#include <unistd.h>

namespace reel_test {
namespace {

using ::testing::HasSubstr;

// Far more than the pipe and the supervisor hold, of both kinds.
constexpr const char* kLoud = R"(
version: 1
stages:
  source: {use: synthetic.source, options: {width: 64, height: 64, fps: 100}, out: numbers}
  sink: {use: synthetic.verify, in: numbers}
  loud:
    use: exec
    options:
      command: >
        yes 'a line of the log' | head -c 20000000 >&2;
        yes 'a line of output' | head -c 20000000;
        echo $$$$ >done; exec sleep 1000
)";

std::string read_all(int fd) {
  std::string text;
  std::array<char, 65536> block{};
  for (ssize_t got = 0; (got = ::read(fd, block.data(), block.size())) > 0;)
    text.append(block.data(), static_cast<std::size_t>(got));
  return text;
}

TEST(UnreadPipe, HoldsUpNoStageAndNoEnd) {
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const std::string pipe = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(ends[1]);
  ChildProcess reel = ChildProcess::program(
      "sh", {"-c", R"(exec "$0" run "$1" --summary-json "$2" >"$3" 2>&1)", REEL_COMMAND,
             scratch.write("loud.yaml", kLoud), scratch.path() + "/summary.json", pipe});
  ASSERT_TRUE(wait_until([&] { return scratch.read("done").ends_with('\n'); })) << "a stage was held up";
  ::close(ends[1]);
  const auto loud = static_cast<pid_t>(std::stol(scratch.read("done")));
  ASSERT_TRUE(process_alive(loud));
  reel.signal(SIGINT);
  EXPECT_TRUE(wait_until([&] { return !process_alive(loud); })) << "the pipeline does not drain";
  EXPECT_TRUE(reel.running()) << "it ended before anybody had read the table";
  const std::string printed = read_all(ends[0]);
  ::close(ends[0]);
  EXPECT_TRUE(reel.wait().ok());
  EXPECT_THAT(printed, HasSubstr("lines of the log were dropped"));
  EXPECT_THAT(printed, HasSubstr("lines of the stages' output were dropped"));
  EXPECT_THAT(printed, HasSubstr("loud: finished"));
  EXPECT_THAT(printed, HasSubstr("pipeline loud: "));
  const auto summary = nlohmann::json::parse(scratch.read("summary.json"));
  for (const auto& stage : summary["stages"]) EXPECT_EQ(stage["state"], "finished") << stage;
}

}  // namespace
}  // namespace reel_test
