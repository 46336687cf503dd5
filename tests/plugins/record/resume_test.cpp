// Where a recording stood: numbers, what was missed, and what is recorded already.
#include "recordings.hpp"

#include <recorder/recorder.hpp>
#include <recorder/resume.hpp>

#include <gmock/gmock.h>
#include <reel_test/scratch_dir.hpp>

namespace reel_test {
namespace {

using record::Recorder;
using record::RecordSettings;
using record::SpooledFrame;
using record::Standing;

constexpr std::int64_t kSecond_ns = 1'000'000'000;

Standing standing() {
  Standing stood;
  stood.next_number = 70;
  stood.sequence = 100;
  stood.published_ns = 5 * kSecond_ns;
  return stood;
}

TEST(Resume, CountsWhatTheSameWriterPublishedMeanwhile) {
  EXPECT_EQ(standing().missed_until(101, 0, kSecond_ns), 0U);
  EXPECT_EQ(standing().missed_until(140, 3, kSecond_ns), 39U);
}

TEST(Resume, TakesNoFrameTwice) {
  EXPECT_EQ(standing().missed_until(100, 0, kSecond_ns), std::nullopt);
}

TEST(Resume, KnowsNothingOfAnotherWriter) {
  EXPECT_EQ(standing().missed_until(140, 3, 6 * kSecond_ns), 3U) << "its memory is newer than the last frame";
  EXPECT_EQ(standing().missed_until(7, 3, 6 * kSecond_ns), 3U);
  EXPECT_EQ(standing().missed_until(140, 3, reel::kNoTime), 3U);
  EXPECT_EQ(Standing{}.missed_until(140, 3, kSecond_ns), 3U) << "nothing was recorded before";
}

TEST(Resume, DoesNotCountWhatIsPassedOverOnPurpose) {
  Standing every_third = standing();
  every_third.all_taken = false;
  EXPECT_EQ(every_third.missed_until(140, 3, kSecond_ns), 3U);
}

/// Blocks of 20 ms, which the codec's own packets do not fall together with.
SpooledFrame block(std::uint64_t number, std::uint64_t sequence) {
  SpooledFrame made;
  made.number = number;
  made.sequence = sequence;
  made.format = std::make_shared<reel::Format>(reel::AudioFormat{reel::SampleFormat::S16LE, 48'000, 1});
  made.info.pts_ns = static_cast<std::int64_t>(number) * 20'000'000;
  made.info.duration_ns = 20'000'000;
  made.published_ns = reel::monotonic_ns();
  made.buffer = std::shared_ptr<GstBuffer>(gst_buffer_new_allocate(nullptr, 1920, nullptr),
                                           [](GstBuffer* it) { gst_buffer_unref(it); });
  gst_buffer_memset(made.buffer.get(), 0, 0, 1920);
  return made;
}

TEST(Resume, NumbersSoundByItsBlocks) {
  gst_init(nullptr, nullptr);
  const ScratchDir scratch;
  RecordSettings settings;
  settings.directory = scratch.path() + "/recordings";
  settings.name = "door";
  settings.segment_ns = 10 * kSecond_ns;
  settings.sync_interval_ns = kSecond_ns;
  settings.patience_ns = kSecond_ns;
  settings.spool_memory = 256'000'000;
  {
    Recorder recorder(settings, {"microphone"});
    for (std::uint64_t i = 0; i < 100; ++i) EXPECT_TRUE(recorder.spool().put(block(i, i + 1)));
  }
  const Recorder recorder(settings, {"microphone", "camera"});
  EXPECT_EQ(recorder.standing(0).next_number, 100U);
  EXPECT_EQ(recorder.standing(0).sequence, 100U);
  EXPECT_EQ(recorder.standing(0).end_ns, 2 * kSecond_ns);
  EXPECT_TRUE(recorder.standing(0).all_taken);
  EXPECT_EQ(recorder.standing(1).next_number, 0U);
}

}  // namespace
}  // namespace reel_test
