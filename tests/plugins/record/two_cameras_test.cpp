// Two cameras in one recording that send key frames seldom: one has gone on to the next file while the other
// is still in the one before. What they sent is on the disk all the same, whenever the recorder is killed.
#include "media_fixture.hpp"
#include "recorder_fixture.hpp"

#include <catalog/segment_name.hpp>
#include <media/probe.hpp>
#include <recorder/lead_file.hpp>

#include <algorithm>
#include <filesystem>
#include <string>

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
  EncodedCamera(std::size_t input, std::int64_t key_interval_ns, int pictures) : input_(input) {
    record::CodingWish wish;
    wish.key_interval_ns = key_interval_ns;
    units_ = record_test::encode(record_test::picture_format(), wish,
                                 record_test::pictures(record_test::picture_format(), pictures, kStep_ns));
    format_ = std::make_shared<reel::Format>(reel::gst::format_from_caps(units_.at(0).caps.get()));
  }
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

  /// Media time of the last picture of a camera that can be read on the disk.
  [[nodiscard]] std::int64_t on_disk_until_ns(const std::string& stream) const {
    std::int64_t last_ns = -1;
    const std::size_t track = stream == "often" ? 0 : 1;
    for (const SegmentRecord& segment : segments_in(settings_.directory)) {
      const std::string path = settings_.directory + "/" + segment.path;
      for (const std::string& file : {path, record::open_path_of(path), record::lead_path_of(path, 1)}) {
        if (!std::filesystem::exists(file)) continue;
        const record::Probe probe = record::probe(file, true);
        if (probe.tracks.size() <= track || probe.tracks[track].frames == 0) continue;
        EXPECT_EQ(probe.tracks[track].decoded, probe.tracks[track].frames) << file;
        last_ns = std::max(last_ns, segment.start_ns + probe.tracks[track].last_ns);
      }
    }
    return last_ns;
  }
  [[nodiscard]] bool all_but_a_moment_is_on_disk() const {
    return on_disk_until_ns("often") > last_given_ns() - 1500 * kMs &&
           on_disk_until_ns("seldom") > last_given_ns() - 1500 * kMs;
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
      << on_disk_until_ns("often") / kMs << " and " << on_disk_until_ns("seldom") / kMs << " of "
      << last_given_ns() / kMs << " ms";

  RecordSettings again = settings_;  // as a recorder finds it that is started after one was killed
  again.directory = scratch_.path() + "/killed";
  std::filesystem::copy(settings_.directory, again.directory, std::filesystem::copy_options::recursive);
  std::filesystem::remove(again.directory + "/.door.lock");
  Recorder next(again, {"often", "seldom"});
  next.finish();
  next.wait_for_files();
  const auto repaired = finished_in(again.directory);
  expect_intact(again.directory, repaired);
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
    EXPECT_FALSE(std::filesystem::exists(record::lead_path_of(settings_.directory + "/" + segment.path, 1)));
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
}

INSTANTIATE_TEST_SUITE_P(Containers, TwoCameras,
                         ::testing::Values(record::Container::matroska, record::Container::mp4));

}  // namespace
}  // namespace reel_test
