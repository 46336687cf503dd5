// An encoder that is too slow for a time, or for good: frames wait in the spool, and what does not fit is
// counted and marked where it is missing.
#include "faulty_encoder.hpp"
#include "recordings.hpp"

#include <running_pipeline.hpp>

#include <filesystem>

#include <gmock/gmock.h>

namespace reel_test {
namespace {

/// A pipeline of a live source of 60 pictures a second and a recorder whose encoder can be told to fail.
class WithFaultyEncoder {
 public:
  WithFaultyEncoder(const std::string& fault, int frames, const std::string& options)
      : pipeline_((steer_encoder(file(), fault), text(frames, options)), {},
                  {{"GST_PLUGIN_PATH", FAULTY_ENCODER},
                   {"GST_REGISTRY", scratch_.path() + "/registry"},
                   {"REEL_FAULTY_ENCODER", file()}}) {}
  void steer(const std::string& fault) const { steer_encoder(file(), fault); }
  [[nodiscard]] RunningPipeline& pipeline() noexcept { return pipeline_; }
  [[nodiscard]] std::string recordings() const { return pipeline_.scratch().path() + "/recordings"; }
  /// What the recorder says at its end.
  [[nodiscard]] std::uint64_t told(const std::string& before, const std::string& behind) const {
    const std::string log = pipeline_.log();
    const std::size_t end = log.rfind(behind);
    const std::size_t begin = log.rfind(before, end);
    if (end == std::string::npos || begin == std::string::npos) return 0;
    return std::stoull(log.substr(begin + before.size()));
  }

 private:
  [[nodiscard]] std::string file() const { return scratch_.path() + "/fault"; }
  [[nodiscard]] static std::string text(int frames, const std::string& options) {
    return R"(
version: 1
name: encoder
stages:
  source:
    use: synthetic.source
    options: {width: 320, height: 240, fps: 60, live: true, frames: )" +
           std::to_string(frames) + R"(}
    out: pictures
  recorder:
    use: record
    in: pictures
    options: {directory: recordings, segment: 2s, )" +
           options + "}\n";
  }

  ScratchDir scratch_;
  RunningPipeline pipeline_;
};

std::uint64_t recorded(const std::vector<record::SegmentRecord>& segments) {
  std::uint64_t frames = 0;
  for (const auto& segment : segments)
    for (const auto& track : segment.tracks) frames += track.frames;
  return frames;
}

std::uint64_t published(const RunningPipeline& pipeline) {
  return pipeline.stage_summary("source")["outputs"][0]["frames"];
}

TEST(RecordEncoder, ThatIsSlowForATimeLosesNothing) {
  const TempRuntimeDir runtime;
  WithFaultyEncoder slow("sleep 50000", 180, "spool_memory: 64MB");
  RunningPipeline& pipeline = slow.pipeline();
  ASSERT_TRUE(pipeline.wait_for_frames("recorder", 90)) << pipeline.log();
  slow.steer("");
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  EXPECT_GE(slow.told("at most ", " waited in the spool"), 30U) << "it was not slow: " << pipeline.log();
  EXPECT_THAT(pipeline.log(), ::testing::HasSubstr("recording ended; 0 frames were lost"));
  const auto segments = finished_in(slow.recordings());
  expect_intact(slow.recordings(), segments);
  EXPECT_EQ(recorded(segments), published(pipeline)) << pipeline.log();
  EXPECT_EQ(lost_frames(segments, "pictures"), 0U);
}

TEST(RecordEncoder, ThatIsTooSlowForGoodLosesWhatTheGapsSay) {
  const TempRuntimeDir runtime;
  WithFaultyEncoder slow("sleep 50000", 180, "spool_memory: 3MB, full_spool: lose");
  RunningPipeline& pipeline = slow.pipeline();
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const auto segments = finished_in(slow.recordings());
  expect_intact(slow.recordings(), segments);
  const std::uint64_t lost = lost_frames(segments, "pictures");
  EXPECT_GT(lost, 0U) << pipeline.log();
  EXPECT_EQ(slow.told("recording ended; ", " frames were lost"), lost) << pipeline.log();
  EXPECT_EQ(recorded(segments) + lost, published(pipeline)) << "published: in files, or in gaps\n"
                                                            << pipeline.log();
}

/// Those that hang keep their threads to the end, which comes all the same.
TEST(RecordEncoder, ThatHangsAgainAndAgainIsReplaced) {
  const TempRuntimeDir runtime;
  WithFaultyEncoder hanging("hang 60", 120, "encoder_timeout: 1s");
  RunningPipeline& pipeline = hanging.pipeline();
  ASSERT_TRUE(pipeline.wait().ok()) << pipeline.log();
  const auto segments = finished_in(hanging.recordings());
  expect_intact(hanging.recordings(), segments);
  const std::uint64_t lost = lost_frames(segments, "pictures");
  EXPECT_GT(lost, 0U) << pipeline.log();
  EXPECT_EQ(hanging.told("recording ended; ", " frames were lost"), lost) << pipeline.log();
  EXPECT_EQ(recorded(segments) + lost, published(pipeline)) << pipeline.log();
}

}  // namespace
}  // namespace reel_test
