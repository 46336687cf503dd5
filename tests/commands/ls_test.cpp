#include <cstdlib>

#include <gmock/gmock.h>
#include <reel_test/run_reel.hpp>
#include <reel_test/runtime_dir.hpp>
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

}  // namespace
