// Must be shown: 10,000 frames of 1080p to a lossless reader, to a queue, and to one that is slow and takes
// the newest. Nothing is lost to the first, everything is counted for the others, and the slow one holds up
// nobody.
#include "running_pipeline.hpp"

#include <gmock/gmock.h>
#include <reel_test/run_reel.hpp>

#include <reel/channel/frame_reader.hpp>

namespace reel_test {
namespace {

constexpr std::chrono::minutes kPatience{8};
constexpr std::uint64_t kFrames = 10'000;
constexpr const char* kFour = R"(
version: 1
name: four
stages:
  source:
    use: synthetic.source
    options: {format: NV12, width: 1920, height: 1080, fps: 0, frames: 10000}
    out: frames
  lossless: {use: synthetic.verify, in: {stream: frames, policy: lossless}}
  queue: {use: synthetic.verify, in: {stream: frames, policy: queue}}
  latest: {use: synthetic.verify, in: {stream: frames, policy: latest}, options: {delay_ms: 50}}
)";

/// How often the source has waited, by the reader it waited for, as `reel ls --json` tells it now.
std::map<std::string, int> waits_by_reader() {
  const ReelRun ls = run_reel({"ls", "--json"});
  EXPECT_EQ(ls.status, 0) << ls.errors;
  std::map<std::string, int> waits;
  for (const auto& stream : ls.json())
    for (const auto& reader : stream["readers"]) waits[reader["name"]] = reader["waits"];
  return waits;
}

TEST(FullSize, EveryReaderGetsWhatItsPolicyOwesAndTheSlowOneHoldsUpNobody) {
  const TempRuntimeDir runtime;
  RunningPipeline pipeline(kFour);
  // A guest that takes every frame without looking at it and shortly before the end holds the source, so that
  // what it counted can be read.
  reel::FrameReader guest(
      "frames", {.name = "guest", .policy = reel::Policy::lossless, .max_pins = 1, .verify = false});
  reel::Frame frame;
  do {
    ASSERT_EQ(guest.read(frame, 240'000), reel::ReadStatus::frame) << guest.error() << pipeline.log();
  } while (frame.sequence() < kFrames - 50);
  std::map<std::string, int> waits;
  ASSERT_TRUE(wait_until([&] { return (waits = waits_by_reader())["guest"] > 0; }))
      << "whom it waits for counts";
  for (const char* name : {"four/latest", "four/queue"}) {
    ASSERT_TRUE(waits.contains(name)) << ::testing::PrintToString(waits);
    EXPECT_EQ(waits[name], 0) << name;
  }
  reel::ReadStatus status = reel::ReadStatus::frame;
  while (status == reel::ReadStatus::frame) status = guest.read(frame, 240'000);
  EXPECT_EQ(status, reel::ReadStatus::ended);
  EXPECT_EQ(frame.sequence(), kFrames);

  ASSERT_TRUE(pipeline.reel().wait(kPatience).ok()) << pipeline.log();
  const nlohmann::json lossless = pipeline.verdict("lossless");
  EXPECT_EQ(lossless["frames"], kFrames) << lossless;
  for (const char* fault : {"gaps", "corrupted", "duplicates"}) EXPECT_EQ(lossless[fault], 0) << lossless;
  for (const char* name : {"lossless", "queue", "latest"}) {
    const auto input = pipeline.stage_summary(name)["inputs"][0];
    EXPECT_EQ(input["frames"].get<std::uint64_t>() + input["skipped"].get<std::uint64_t>() +
                  input["lapped"].get<std::uint64_t>(),
              kFrames)
        << input;
    EXPECT_EQ(input["verified"], input["frames"]) << input;
    EXPECT_EQ(input["corrupted"], 0) << input;
  }
  EXPECT_GT(pipeline.stage_summary("latest")["inputs"][0]["skipped"], 0);
}

}  // namespace
}  // namespace reel_test
