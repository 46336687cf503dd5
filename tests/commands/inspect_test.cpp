#include <cstddef>
#include <map>
#include <vector>

#include <gmock/gmock.h>
#include <reel_test/run_reel.hpp>
#include <reel_test/runtime_dir.hpp>

#include <reel/channel/frame_writer.hpp>

namespace {

using reel_test::run_reel;
using testing::HasSubstr;

/// Publishes one frame of opaque bytes; returns where its payload lies in this process.
std::byte* publish(reel::FrameWriter& writer, std::size_t bytes) {
  reel::Loan loan;
  EXPECT_EQ(writer.acquire(loan, bytes), reel::WriteStatus::ok) << writer.error();
  std::byte* payload = loan.data().data();
  EXPECT_EQ(writer.publish(std::move(loan), {}), reel::WriteStatus::ok) << writer.error();
  return payload;
}

TEST(Inspect, ShowsEverySlotWithStateAndChecksumResult) {
  const reel_test::TempRuntimeDir runtime;
  reel::FrameWriter writer("bytes", reel::Format{}, {.slots = 4, .slot_bytes = 4096});
  publish(writer, 100);
  std::byte* damaged = publish(writer, 200);
  damaged[17] ^= std::byte{1};

  const auto run = run_reel({"inspect", "bytes", "--json"});
  ASSERT_EQ(run.status, 0) << run.errors;
  const nlohmann::json all = run.json();
  EXPECT_EQ(all.at("stream").at("name"), "bytes");
  EXPECT_EQ(all.at("records").at("formats")[0].at("caps"), "application/octet-stream");
  ASSERT_EQ(all.at("slots").size(), 4u);
  std::map<int, std::string> verdicts;
  int free_slots = 0;
  for (const nlohmann::json& slot : all.at("slots")) {
    if (slot.at("state") == "free") ++free_slots;
    if (slot.contains("sequence")) verdicts[slot.at("sequence")] = slot.at("verdict");
  }
  EXPECT_EQ(free_slots, 2);
  EXPECT_EQ(verdicts, (std::map<int, std::string>{{1, "ok"}, {2, "corrupted"}}));
}

TEST(Inspect, PrintsHeaderRecordsAndSlotsForPeople) {
  const reel_test::TempRuntimeDir runtime;
  reel::FrameWriter writer("bytes", reel::Format{}, {.slots = 4, .slot_bytes = 4096});
  writer.set_tags("title=a test");
  publish(writer, 100);
  const auto run = run_reel({"inspect", "bytes"});
  ASSERT_EQ(run.status, 0) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("epoch"));
  EXPECT_THAT(run.output, HasSubstr("application/octet-stream"));
  EXPECT_THAT(run.output, HasSubstr("title=a test"));
  EXPECT_THAT(run.output, HasSubstr("RESULT"));
}

TEST(Inspect, NamesTheNearestStreamWhenThereIsNone) {
  const reel_test::TempRuntimeDir runtime;
  reel::FrameWriter writer("camera", reel::Format{}, {.slot_bytes = 4096});
  publish(writer, 1);
  const auto run = run_reel({"inspect", "camrea"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("did you mean 'camera'?"));
}

TEST(Inspect, EndsWithStatusTwoForANameThatNoStreamCanHave) {
  const reel_test::TempRuntimeDir runtime;
  const auto run = run_reel({"inspect", "../etc"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("../etc"));
}

}  // namespace
