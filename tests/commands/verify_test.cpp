#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/process_facts.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/runtime_dir.hpp>

#include <reel/channel/frame_writer.hpp>
#include <reel/ring/layout.hpp>

namespace {

using reel_test::run_reel;
using testing::HasSubstr;

constexpr std::size_t kFrameBytes = 10'000;

/// A stream that goes on in a thread of its own until it is let go; every `damage_every`th frame has a bit
/// flipped after its checksum was made (0: none), before anybody can read it.
class Stream {
 public:
  explicit Stream(const reel::WriterOptions& options, int damage_every = 0)
      : writer_("camera", reel::Format{}, options),
        thread_([this, damage_every](const std::stop_token& stop) {
          for (int frame = 1; !stop.stop_requested(); ++frame)
            publish(damage_every != 0 && frame % damage_every == 0);
        }) {}

 private:
  void publish(bool damage) {
    reel::Loan loan;
    if (writer_.acquire(loan, kFrameBytes, 100) != reel::WriteStatus::ok) return;
    std::byte* payload = loan.data().data();
    (void)writer_.publish(std::move(loan), {});
    if (damage) payload[kFrameBytes / 2] ^= std::byte{4};
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }

  reel::FrameWriter writer_;
  std::jthread thread_;
};

TEST(Verify, CountsTheFramesAskedFor) {
  const reel_test::TempRuntimeDir runtime;
  const Stream stream({.slot_bytes = kFrameBytes});
  const auto run = run_reel({"verify", "camera", "--frames", "40", "--policy", "lossless", "--json"});
  ASSERT_EQ(run.status, 0) << run.output << run.errors;
  const nlohmann::json counts = run.json();
  EXPECT_EQ(counts.at("frames"), 40);
  EXPECT_EQ(counts.at("verified"), 40);
  EXPECT_EQ(counts.at("corrupted"), 0);
  EXPECT_EQ(counts.at("missed"), 0);
  EXPECT_EQ(counts.at("last_sequence").get<int>() - counts.at("first_sequence").get<int>(), 39);
  EXPECT_EQ(counts.at("ok"), true);
}

TEST(Verify, EndsWithStatusOneAndNamesTheFrameThatWasCorrupted) {
  const reel_test::TempRuntimeDir runtime;
  reel::FrameWriter writer("camera", reel::Format{}, {.slot_bytes = kFrameBytes, .history = 4});
  for (int frame = 1; frame <= 4; ++frame) {
    reel::Loan loan;
    ASSERT_EQ(writer.acquire(loan, kFrameBytes), reel::WriteStatus::ok);
    std::byte* payload = loan.data().data();
    ASSERT_EQ(writer.publish(std::move(loan), {}), reel::WriteStatus::ok);
    if (frame == 3) payload[5] ^= std::byte{1};
  }
  const auto run = run_reel({"verify", "camera", "--frames", "4", "--start", "oldest", "--json"});
  EXPECT_EQ(run.status, 1) << run.errors;
  const nlohmann::json counts = run.json();
  EXPECT_EQ(counts.at("frames"), 4);
  EXPECT_EQ(counts.at("verified"), 3);
  EXPECT_EQ(counts.at("corrupted"), 1);
  EXPECT_EQ(counts.at("corrupted_sequences"), nlohmann::json::array({3}));
}

TEST(Verify, CountsAFrameWithADamagedHeaderOnceAndOnlyAsCorrupted) {
  const reel_test::TempRuntimeDir runtime;
  reel::FrameWriter writer("camera", reel::Format{}, {.slot_bytes = kFrameBytes, .history = 4});
  for (int frame = 1; frame <= 4; ++frame) {
    reel::Loan loan;
    ASSERT_EQ(writer.acquire(loan, kFrameBytes), reel::WriteStatus::ok);
    ASSERT_EQ(writer.publish(std::move(loan), {}), reel::WriteStatus::ok);
  }
  const auto mapped = reel_test::mappings_of("reel.camera.control");
  ASSERT_EQ(mapped.size(), 1u);
  auto* control = reinterpret_cast<std::byte*>(mapped[0].begin);
  const auto& header = *reinterpret_cast<reel::StreamHeader*>(control);
  auto* slots = reinterpret_cast<reel::SlotHeader*>(control + header.geometry.slots_offset);
  const auto second = std::find_if(slots, slots + header.geometry.slots,
                                   [](const auto& slot) { return slot.record.sequence == 2; });
  second->record.pts_ns ^= 1;

  const auto run = run_reel({"verify", "camera", "--frames", "3", "--start", "oldest", "--json"});
  EXPECT_EQ(run.status, 1) << run.errors;
  const nlohmann::json counts = run.json();
  EXPECT_EQ(counts.at("frames"), 3);
  EXPECT_EQ(counts.at("verified"), 3);
  EXPECT_EQ(counts.at("corrupted"), 1);
  EXPECT_EQ(counts.at("unchecked"), 0);
  const auto text = run_reel({"verify", "camera", "--frames", "3", "--start", "oldest"});
  EXPECT_THAT(text.output, HasSubstr("3 verified, 1 corrupted, 0 without checksum"));
  EXPECT_THAT(text.output, HasSubstr("corrupted in their headers, and passed over: 1"));
}

TEST(Verify, EndsWithStatusOneWhereThereAreNoChecksums) {
  const reel_test::TempRuntimeDir runtime;
  const Stream stream({.slot_bytes = kFrameBytes, .checksum = reel::ChecksumMode::none});
  const auto run = run_reel({"verify", "camera", "--frames", "3", "--json"});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.json().at("unchecked"), 3);
  EXPECT_THAT(run.errors, HasSubstr("no checksums"));
}

TEST(Verify, SaysThatNoFrameCame) {
  const reel_test::TempRuntimeDir runtime;
  reel::FrameWriter writer("camera", reel::Format{}, {.slot_bytes = kFrameBytes});
  reel::Loan loan;
  ASSERT_EQ(writer.acquire(loan, 1), reel::WriteStatus::ok);
  const auto run = run_reel({"verify", "camera", "--frames", "1", "--timeout", "1"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("no frame came"));
}

TEST(Verify, PrintsItsCountsWhenInterrupted) {
  const reel_test::TempRuntimeDir runtime;
  const Stream stream({.slot_bytes = kFrameBytes});
  auto child = reel_test::ChildProcess::program(reel_test::reel_command(),
                                                {"verify", "camera", "--frames", "100000000", "--json"});
  ASSERT_TRUE(
      reel_test::wait_until([] { return run_reel({"ls"}).output.find("reel-verify") != std::string::npos; }));
  child.signal(SIGINT);
  EXPECT_EQ(child.wait().code, 1);
  EXPECT_EQ(nlohmann::json::parse(child.output()).at("stopped_by"), "interrupted");
}

TEST(Verify, NamesTheNearestStreamWhenThereIsNone) {
  const reel_test::TempRuntimeDir runtime;
  const Stream stream({.slot_bytes = kFrameBytes});
  const auto run = run_reel({"verify", "camara", "--frames", "1"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.errors, HasSubstr("did you mean 'camera'?"));
}

TEST(Verify, EndsWithStatusTwoForAPolicyThereIsNot) {
  const auto run = run_reel({"verify", "camera", "--frames", "1", "--policy", "best"});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.errors, HasSubstr("lossless"));
}

TEST(Verify, EndsWithStatusTwoWithoutANumberOfFrames) {
  EXPECT_EQ(run_reel({"verify", "camera"}).status, 2);
}

TEST(Verify, SaysInOneShortLineWhichNumbersThereMayBe) {
  const auto expect = [](const std::vector<std::string>& arguments, const std::string& line) {
    const auto run = run_reel(arguments);
    EXPECT_EQ(run.status, 2);
    EXPECT_THAT(run.errors, HasSubstr(line));
    EXPECT_THAT(run.errors, testing::Not(HasSubstr("00000000000000000")));
  };
  for (const std::string bad : {"0", "-1", "1.5", "many", "99999999999999999999999"})
    expect({"verify", "camera", "--frames", bad},
           "--frames: '" + bad + "' is no whole number from 1 to 1000000000000");
  expect({"verify", "camera", "--frames", "1", "--timeout", "0"},
         "--timeout: '0' is no whole number from 1 to 86400");
  for (const std::string bad : {"abc", "0", "nan", "3000000"})
    expect({"run", "file.yaml", "--duration", bad},
           "--duration: '" + bad + "' is no number of seconds from 0.001 to 2000000");
}

}  // namespace
