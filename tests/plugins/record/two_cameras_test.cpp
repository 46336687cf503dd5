// Two cameras in one recording that send key frames seldom: one has gone on to the next file while the other
// is still in the one before. What they sent is on the disk all the same, whenever the recorder is killed.
#include "media_fixture.hpp"
#include "recorder_fixture.hpp"

#include <catalog/segment_name.hpp>
#include <media/probe.hpp>
#include <recorder/lead_file.hpp>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include <gmock/gmock.h>
#include <reel/gst/caps.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {
namespace {

using record::Recorder;
using record::RecordSettings;
using record::SegmentRecord;
using record::SegmentState;
using record_test::kMs;
using record_test::kSecond;

/// Pictures as a camera sends them: encoded, with a key frame now and then.
class EncodedCamera {
 public:
  EncodedCamera(std::size_t input, std::int64_t key_interval_ns, int pictures, std::uint32_t width = 160)
      : input_(input) {
    record::CodingWish wish;
    wish.key_interval_ns = key_interval_ns;
    const reel::Format format = record_test::picture_format(width, 120);
    units_ = record_test::encode(format, wish, record_test::pictures(format, pictures, kStep_ns));
    format_ = std::make_shared<reel::Format>(reel::gst::format_from_caps(units_.at(0).caps.get()));
  }
  /// Those before are not sent.
  void begin_at(std::uint64_t number) { number_ = number; }
  record::SpooledFrame next() {
    const record::Unit& unit = units_.at(number_);
    record::SpooledFrame frame;
    frame.input = input_;
    frame.number = number_++;
    frame.format = format_;
    frame.info.pts_ns = unit.time_ns;
    frame.info.duration_ns = kStep_ns;
    frame.info.flags = unit.key ? reel::kKeyFrame : 0U;
    frame.published_ns = reel::monotonic_ns();
    frame.buffer = unit.buffer;
    return frame;
  }

 private:
  std::size_t input_;
  std::vector<record::Unit> units_;
  std::shared_ptr<const reel::Format> format_;
  std::uint64_t number_ = 0;
};

class TwoCameras : public ::testing::TestWithParam<record::Container> {
 protected:
  TwoCameras() : settings_(settings_in(scratch_)) { settings_.container = GetParam(); }

  static constexpr int kPictures = 300;
  void put(Recorder& recorder, int pictures) {
    for (int i = 0; i < pictures; ++i) {
      (void)recorder.spool().put(often_.next());
      (void)recorder.spool().put(seldom_.next());
    }
    given_ += pictures;
  }
  [[nodiscard]] std::int64_t last_given_ns() const { return (given_ - 1) * kStep_ns; }

  /// Media time of the last picture of a track that can be read on the disk.
  [[nodiscard]] std::int64_t on_disk_until_ns(std::size_t track) const {
    std::int64_t last_ns = -1;
    for (const SegmentRecord& segment : segments_in(settings_.directory)) {
      const std::string path = settings_.directory + "/" + segment.path;
      std::vector<record::Lead> files = record::leads_of(path);
      const bool open = segment.state == SegmentState::open;
      files.push_back({open ? record::open_path_of(path) : path, {0, 1, 2}});
      for (const record::Lead& file : files) {
        const auto at = std::find(file.tracks.begin(), file.tracks.end(), track) - file.tracks.begin();
        const record::Probe probe = record::probe(file.path, true);
        if (at >= std::ssize(probe.tracks) || probe.tracks[static_cast<std::size_t>(at)].frames == 0)
          continue;
        const record::ProbedTrack& found = probe.tracks[static_cast<std::size_t>(at)];
        EXPECT_EQ(found.decoded, found.frames) << file.path;
        last_ns = std::max(last_ns, segment.start_ns + found.last_ns);
      }
    }
    return last_ns;
  }
  [[nodiscard]] bool all_but_a_moment_is_on_disk() const {
    return on_disk_until_ns(0) > last_given_ns() - 1500 * kMs &&
           on_disk_until_ns(1) > last_given_ns() - 1500 * kMs;
  }

  /// What a recorder makes of it that is started after one was killed.
  [[nodiscard]] std::vector<SegmentRecord> after_a_kill(const std::vector<std::string>& streams) const {
    RecordSettings again = settings_;
    again.directory = scratch_.path() + "/killed";
    again.name = "door";
    // What is renamed meanwhile is looked for once more.
    EXPECT_TRUE(wait_until([&] {
      std::error_code error;
      std::filesystem::remove_all(again.directory);
      std::filesystem::copy(settings_.directory, again.directory, std::filesystem::copy_options::recursive,
                            error);
      return !error;
    }));
    std::filesystem::remove(again.directory + "/.door.lock");
    {
      Recorder next(again, streams);
      next.finish();
      next.wait_for_files();
    }
    auto repaired = finished_in(again.directory);
    expect_intact(again.directory, repaired);
    for (const SegmentRecord& segment : repaired)
      EXPECT_TRUE(record::leads_of(again.directory + "/" + segment.path).empty()) << segment.path;
    return repaired;
  }

  ScratchDir scratch_;
  RecordSettings settings_;
  EncodedCamera often_{0, kSecond, kPictures};
  EncodedCamera seldom_{1, 7 * kSecond, kPictures};
  int given_ = 0;
};

TEST_P(TwoCameras, AreOnTheDiskWhileOneWaitsForItsKeyFrame) {
  Recorder recorder(settings_, {"often", "seldom"});
  put(recorder, 150);
  ASSERT_TRUE(wait_until([&] { return all_but_a_moment_is_on_disk(); }))
      << on_disk_until_ns(0) / kMs << " and " << on_disk_until_ns(1) / kMs << " of " << last_given_ns() / kMs
      << " ms";
  const auto repaired = after_a_kill({"often", "seldom"});
  ASSERT_EQ(repaired.size(), 2U);
  EXPECT_EQ(repaired[0].tracks.size(), 2U);
  ASSERT_EQ(repaired[1].tracks.size(), 1U);
  EXPECT_EQ(repaired[1].tracks[0].stream, "often");

  put(recorder, 150);
  recorder.finish();
  recorder.wait_for_files();
  const auto segments = finished_in(settings_.directory);
  expect_intact(settings_.directory, segments);
  for (const SegmentRecord& segment : segments)
    EXPECT_TRUE(record::leads_of(settings_.directory + "/" + segment.path).empty()) << segment.path;
  EXPECT_EQ(pictures_in(segments), 2U * kPictures);
  EXPECT_EQ(lost_frames(segments, "often") + lost_frames(segments, "seldom"), 0U);
  for (const char* stream : {"often", "seldom"})
    expect_steady(units_of(settings_.directory, segments, stream), kStep_ns, 1'100'000);
}

TEST_P(TwoCameras, OfWhichOneHasNothingInTheLastFile) {
  Recorder recorder(settings_, {"often", "seldom"});
  put(recorder, 150);
  recorder.finish();
  recorder.wait_for_files();
  const auto segments = finished_in(settings_.directory);
  expect_intact(settings_.directory, segments);
  ASSERT_EQ(segments.size(), 2U);
  EXPECT_EQ(pictures_in(segments), 300U);
  ASSERT_EQ(segments[1].tracks.size(), 1U);
  EXPECT_EQ(segments[1].tracks[0].stream, "often");
  EXPECT_TRUE(record::leads_of(settings_.directory + "/" + segments[1].path).empty());
}

/// The new file is begun by the one that comes second, and has nothing else at first.
TEST_P(TwoCameras, OfWhichTheSecondChangesItsFormat) {
  EncodedCamera seldom(0, 7 * kSecond, kPictures);
  EncodedCamera before(1, kSecond, 80);
  EncodedCamera after(1, kSecond, kPictures, 320);
  Recorder recorder(settings_, {"seldom", "often"});
  for (int i = 0; i < 80; ++i) {
    (void)recorder.spool().put(seldom.next());
    (void)recorder.spool().put(before.next());
  }
  after.begin_at(100);  // a key frame
  for (int i = 80; i < 150; ++i) {
    (void)recorder.spool().put(seldom.next());
    if (i >= 100) (void)recorder.spool().put(after.next());
  }
  given_ = 150;
  ASSERT_TRUE(wait_until([&] { return all_but_a_moment_is_on_disk(); }))
      << on_disk_until_ns(0) / kMs << " and " << on_disk_until_ns(1) / kMs << " of " << last_given_ns() / kMs
      << " ms";
  const auto repaired = after_a_kill({"seldom", "often"});
  ASSERT_GE(repaired.size(), 2U);
  ASSERT_EQ(repaired.back().tracks.size(), 1U);
  EXPECT_EQ(repaired.back().tracks[0].stream, "often");
  EXPECT_EQ(repaired.back().start_ns, 100 * kStep_ns);
  recorder.finish();
  recorder.wait_for_files();
  const auto segments = finished_in(settings_.directory);
  expect_intact(settings_.directory, segments);
  EXPECT_EQ(pictures_in(segments), 280U);
}

/// One that is in the new file and goes keeps the others off the disk no more than it does where it is not.
class AndAThird : public TwoCameras {
 protected:
  void goes_after(int pictures) {
    settings_.patience_ns = 60 * kSecond;
    Recorder recorder(settings_, {"often", "seldom", "third"});
    EncodedCamera third(2, kSecond, pictures);
    for (int i = 0; i < pictures; ++i) {
      put(recorder, 1);
      (void)recorder.spool().put(third.next());
    }
    record::SpooledFrame end;
    end.input = 2;
    end.kind = record::SpooledFrame::Kind::ended;
    (void)recorder.spool().put(std::move(end));
    put(recorder, 150 - pictures);
    ASSERT_TRUE(wait_until([&] { return all_but_a_moment_is_on_disk(); }))
        << on_disk_until_ns(0) / kMs << " and " << on_disk_until_ns(1) / kMs << " of "
        << last_given_ns() / kMs << " ms";
    recorder.finish();
    recorder.wait_for_files();
    const auto segments = finished_in(settings_.directory);
    expect_intact(settings_.directory, segments);
    EXPECT_EQ(pictures_in(segments), 300U + static_cast<std::uint64_t>(pictures));
  }
};

TEST_P(AndAThird, ThatGoesBeforeTheFileHasALead) {
  goes_after(55);
}

TEST_P(AndAThird, ThatGoesWhenItHasOne) {
  goes_after(100);
}

const auto kContainers = ::testing::Values(record::Container::matroska, record::Container::mp4);
INSTANTIATE_TEST_SUITE_P(Containers, TwoCameras, kContainers);
INSTANTIATE_TEST_SUITE_P(Containers, AndAThird, kContainers);

}  // namespace
}  // namespace reel_test
