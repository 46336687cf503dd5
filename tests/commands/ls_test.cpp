#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/wait_until.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>

namespace {

using reel_test::run_reel;
using testing::HasSubstr;

reel::Format small_video() {
  return reel::VideoFormat{reel::PixelFormat::NV12, 64, 48, reel::Fraction{30, 1}};
}

void publish(reel::FrameWriter& writer, int frames) {
  for (int i = 0; i < frames; ++i) {
    reel::Loan loan;
    ASSERT_EQ(writer.acquire(loan), reel::WriteStatus::ok) << writer.error();
    ASSERT_EQ(writer.publish(std::move(loan), {}), reel::WriteStatus::ok) << writer.error();
  }
}

TEST(Ls, SaysWhereItLookedWhenThereIsNoStream) {
  const reel_test::TempRuntimeDir runtime;
  const auto run = run_reel({"ls"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("no streams"));
  EXPECT_THAT(run.output, HasSubstr(runtime.path()));
}

TEST(Ls, PrintsAnEmptyArrayWhenThereIsNoStream) {
  const reel_test::TempRuntimeDir runtime;
  const auto run = run_reel({"ls", "--json"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_EQ(run.json(), nlohmann::json::array());
}

TEST(Ls, TellsOfAStreamAndItsReaderInJson) {
  const reel_test::TempRuntimeDir runtime;
  reel::FrameWriter writer("camera", small_video(), {.slots = 6});
  reel::FrameReader reader("camera", {.name = "watcher", .policy = reel::Policy::latest});
  publish(writer, 5);
  reel::Frame frame;
  ASSERT_EQ(reader.read(frame, 10'000), reel::ReadStatus::frame) << reader.error();

  const auto run = run_reel({"ls", "--json"});
  ASSERT_EQ(run.status, 0) << run.errors;
  const nlohmann::json streams = run.json();
  ASSERT_EQ(streams.size(), 1u);
  const nlohmann::json& stream = streams[0];
  EXPECT_EQ(stream.at("name"), "camera");
  EXPECT_EQ(stream.at("writer_pid"), getpid());
  EXPECT_EQ(stream.at("epoch").get<std::string>().size(), 32u);
  EXPECT_EQ(stream.at("caps"), small_video().caps());
  EXPECT_EQ(stream.at("slots"), 6);
  EXPECT_GE(stream.at("slot_bytes"), small_video().frame_bytes());
  EXPECT_EQ(stream.at("head"), frame.sequence() + 1);
  EXPECT_TRUE(stream.at("fps").is_number());
  ASSERT_EQ(stream.at("readers").size(), 1u);
  const nlohmann::json& seen = stream.at("readers")[0];
  EXPECT_EQ(seen.at("pid"), getpid());
  EXPECT_EQ(seen.at("name"), "watcher");
  EXPECT_EQ(seen.at("policy"), "latest");
  EXPECT_EQ(seen.at("cursor"), frame.sequence() + 1);
  EXPECT_EQ(seen.at("pinned"), 1);
  EXPECT_EQ(seen.at("delivered"), 1);
  EXPECT_EQ(seen.at("verified"), 1);
  EXPECT_EQ(seen.at("skipped"), 4);
  EXPECT_EQ(seen.at("lapped"), 0);
  EXPECT_EQ(seen.at("corrupted"), 0);
}

int read_for_ever(const std::vector<std::string>&) {
  const reel::FrameReader reader("camera", {.name = "app/in", .policy = reel::Policy::lossless});
  reel_test::say("joined");
  while (reel_test::hear()) continue;
  return 0;
}
const reel_test::Role kReader("ls_reader", read_for_ever);

TEST(Ls, TellsOfAReaderThatDiedAndIsWaitedFor) {
  const reel_test::TempRuntimeDir runtime;
  reel::FrameWriter writer("camera", small_video(), {.wait_for = {"app/in"}, .absence_timeout_ms = 600'000});
  auto reader = reel_test::ChildProcess::role("ls_reader");
  ASSERT_EQ(reader.wait_for_line("joined"), "joined") << reader.errors();
  EXPECT_THAT(run_reel({"ls"}).output, HasSubstr("here"));
  reader.signal(SIGKILL);
  (void)reader.wait();
  ASSERT_TRUE(reel_test::wait_until([&] { return writer.readers().at(0).away_ms != 0; }));
  EXPECT_THAT(run_reel({"ls"}).output, testing::ContainsRegex("app/in .*away [0-9]+\\.[0-9] s"));
  EXPECT_GT(run_reel({"ls", "--json"}).json()[0].at("readers")[0].at("away_ms"), 0);
}

TEST(Ls, PrintsAnAlignedTableWithoutColourIntoAPipe) {
  const reel_test::TempRuntimeDir runtime;
  reel::FrameWriter writer("camera", small_video());
  reel::FrameWriter other("a-much-longer-name", small_video());
  publish(writer, 1);
  const auto run = run_reel({"ls"});
  ASSERT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, testing::Not(HasSubstr("\033")));
  EXPECT_THAT(run.output, HasSubstr("STREAM              WRITER"));
  EXPECT_THAT(run.output, HasSubstr("camera              "));
  EXPECT_THAT(run.output, HasSubstr("a-much-longer-name  "));
}

TEST(Ls, NamesADirectoryThatDoesNotExist) {
  const reel_test::TempRuntimeDir runtime;
  const std::string missing = runtime.path() + "/typo";
  ::setenv("REEL_RUNTIME_DIR", missing.c_str(), 1);
  const auto run = run_reel({"ls"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr(missing + " (which does not exist)"));
}

/// Every command that looks for streams says why it did not look there, and what to do about it.
TEST(Ls, AndTheOthersEndWithStatusOneAndTheReasonWhereTheyMayNotLook) {
  const reel_test::TempRuntimeDir runtime;
  ASSERT_EQ(::chmod(runtime.path().c_str(), 0770), 0);
  using Arguments = std::vector<std::string>;
  for (const Arguments& arguments :
       {Arguments{"ls"}, Arguments{"ls", "--json"}, Arguments{"inspect", "camera"},
        Arguments{"verify", "camera", "--frames", "1"}}) {
    const auto run = run_reel(arguments);
    EXPECT_EQ(run.status, 1) << arguments.front();
    EXPECT_THAT(run.output, testing::Not(HasSubstr("no streams")));
    for (const std::string& word : {runtime.path(), std::string("($REEL_RUNTIME_DIR)"), std::string("0770"),
                                    std::string("set REEL_RUNTIME_DIR to")})
      EXPECT_THAT(run.errors, HasSubstr(word)) << arguments.front();
  }
  ASSERT_EQ(::chmod(runtime.path().c_str(), 0700), 0);
}

TEST(Ls, ShowsRootTheStreamsOfAnotherUserWhoseDirectoryItNames) {
  if (::geteuid() != 0) GTEST_SKIP() << "takes root, to give a directory away";
  const reel_test::TempRuntimeDir runtime;
  ASSERT_EQ(::chown(runtime.path().c_str(), 61'234, 61'234), 0);
  const auto run = run_reel({"ls"});
  EXPECT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("looked in " + runtime.path()));
  ASSERT_EQ(::chown(runtime.path().c_str(), 0, 0), 0);
}

TEST(Ls, TellsNothingImpossibleWhileFramesFlow) {
  const reel_test::TempRuntimeDir runtime;
  reel::FrameWriter writer("camera", small_video(), {.slots = 16});
  reel::FrameReader lossless("camera", {.name = "all", .policy = reel::Policy::lossless});
  reel::FrameReader queue("camera", {.name = "some", .policy = reel::Policy::queue});
  reel::FrameReader latest("camera", {.name = "newest", .policy = reel::Policy::latest});
  std::vector<std::jthread> reading;
  for (reel::FrameReader* reader : {&lossless, &queue, &latest}) {
    reading.emplace_back([reader] {
      reel::Frame frame;
      while (reader->read(frame) == reel::ReadStatus::frame) {
      }
    });
  }
  std::jthread writing([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) publish(writer, 1);
    writer.end();
  });
  std::uint64_t head_before = 0;
  for (int look = 0; look < 10; ++look) {
    const auto run = run_reel({"ls", "--json"});
    ASSERT_EQ(run.status, 0) << run.errors;
    const nlohmann::json stream = run.json().at(0);
    const std::uint64_t head = stream.at("head");
    EXPECT_GE(head, head_before);
    head_before = head;
    EXPECT_GE(stream.at("fps"), 0);
    ASSERT_EQ(stream.at("readers").size(), 3u);
    for (const nlohmann::json& reader : stream.at("readers")) {
      EXPECT_LE(reader.at("cursor"), head) << reader;
      EXPECT_LE(reader.at("pinned"), reader.at("max_pins")) << reader;
      EXPECT_LE(reader.at("verified"), reader.at("delivered")) << reader;
      EXPECT_EQ(reader.at("corrupted"), 0) << reader;
      const std::uint64_t passed_over =
          reader.at("skipped").get<std::uint64_t>() + reader.at("lapped").get<std::uint64_t>();
      EXPECT_LT(reader.at("delivered").get<std::uint64_t>() + passed_over, head) << reader;
      EXPECT_TRUE(reader.at("policy") != "lossless" || passed_over == 0) << reader;
    }
  }
  EXPECT_GT(head_before, 1u);
}

}  // namespace
