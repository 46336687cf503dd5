// `reel play` and `use: playback` in real pipelines: what is rerun on a recording finds what it found live.
#include "catalog/catalog.hpp"
#include "facts/frame_facts.hpp"

#include <cmath>
#include <cstring>
#include <filesystem>

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/page_client.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/scratch_dir.hpp>

#include <reel/channel/frame_reader.hpp>
#include <reel/format/side_data.hpp>

namespace reel_test {
namespace {

using ::testing::HasSubstr;

// The ball, over a picture of noise that codecs cannot predict, found by opencv.motion, recorded with what it
// found in files of two seconds.
constexpr const char* kLive = R"(
version: 1
name: live
stages:
  camera:
    use: capture
    options: {uri: "test://ball", frames: 150, width: 320, height: 240, fps: 25, realtime: false}
    out: {video: camera}
  motion: {use: opencv.motion, in: camera, out: moving}
  recorder: {use: record, in: moving, options: {directory: "${OUT}/live", name: ball, segment: 2s, codec: CODEC}}
)";
// It once more, on what was recorded.
constexpr const char* kWatch = R"(
version: 1
name: watch
stages:
  camera: {use: capture, options: {uri: "test://ball"}, out: {video: camera}}
  flip: {use: opencv.flip, in: camera, out: moving}
  motion: {use: opencv.motion, in: moving, out: again}
  recorder: {use: record, in: again, options: {directory: "${OUT}/again", codec: ffv1}}
)";

std::string with_codec(std::string text, const std::string& codec) {
  return text.replace(text.find("CODEC"), 5, codec);
}

/// Facts of all frames in a directory of recordings.
std::vector<record::FrameFacts> facts_of(const std::string& directory) {
  std::vector<record::FrameFacts> all;
  const record::Catalog catalog(record::StoreOptions{directory, false, {}});
  for (const record::SegmentRecord& segment : catalog.find()) {
    std::filesystem::path path = catalog.store().whole_path(segment.path);
    record::FactsReader reader(path.replace_extension(".frames"));
    while (auto facts = reader.next()) all.push_back(std::move(*facts));
  }
  return all;
}

std::vector<float> scores_of(const record::FrameFacts& facts) {
  std::vector<float> scores;
  for (const auto& entry : facts.side())
    if (entry.type == reel::SideDataType::motion && entry.data.size() >= sizeof(float)) {
      reel::MotionScore motion;
      std::memcpy(&motion, entry.data.data(), sizeof motion);
      scores.push_back(motion.score);
    }
  return scores;
}

class PlayedPipeline : public ::testing::Test {
 protected:
  void run(const std::vector<std::string>& arguments) {
    ChildProcess reel = ChildProcess::program(reel_command(), arguments, {{"OUT", scratch_.path()}});
    ASSERT_TRUE(reel.wait().ok()) << reel.errors();
    log_ = reel.errors();
  }
  void record_live(const std::string& codec) {
    std::filesystem::create_directory(scratch_.path() + "/live");
    run({"run", scratch_.write("live.yaml", with_codec(kLive, codec))});
  }
  std::string play_into_watch(const std::string& directory, const std::vector<std::string>& more = {}) {
    std::filesystem::create_directory(scratch_.path() + "/again");
    std::vector<std::string> arguments{"play", directory, "--speed",
                                       "0",    "--into",  scratch_.write("watch.yaml", kWatch)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    run(arguments);
    return scratch_.path() + "/again";
  }

  TempRuntimeDir runtime_;
  ScratchDir scratch_;
  std::string log_;
};

TEST_F(PlayedPipeline, MotionOnALosslessRecordingScoresAsItDidLive) {
  record_live("ffv1");
  const auto again = facts_of(play_into_watch(scratch_.path() + "/live"));
  const auto live = facts_of(scratch_.path() + "/live");
  ASSERT_EQ(live.size(), 150U);
  ASSERT_EQ(again.size(), 150U) << log_;
  std::size_t moving = 0;
  for (std::size_t i = 0; i < 150; ++i) {
    const auto once = scores_of(live[i]), twice = scores_of(again[i]);
    ASSERT_EQ(once.size(), 1U) << "frame " << i;
    ASSERT_EQ(twice.size(), 2U) << "what was found live travels on, frame " << i;
    EXPECT_EQ(twice[0], once[0]) << "found again, frame " << i;
    EXPECT_EQ(twice[1], once[0]) << "found live, frame " << i;
    moving += once[0] > 0 ? 1 : 0;
    EXPECT_EQ(again[i].info.pts_ns, live[i].info.pts_ns);
    EXPECT_EQ(again[i].info.capture_ns, live[i].info.capture_ns);
    EXPECT_EQ(again[i].info.flags, live[i].info.flags);
  }
  EXPECT_GT(moving, 100U);
}

// H.264 changes pictures before anybody sees them again: what it found live it cannot find to the bit. What
// is recorded gives the same each time that it is played.
TEST_F(PlayedPipeline, MotionOnAnH264RecordingScoresTheSameEachTime) {
  record_live("h264");
  const auto first = facts_of(play_into_watch(scratch_.path() + "/live"));
  std::filesystem::rename(scratch_.path() + "/again", scratch_.path() + "/first");
  const auto second = facts_of(play_into_watch(scratch_.path() + "/live"));
  ASSERT_EQ(first.size(), 150U);
  ASSERT_EQ(second.size(), 150U);
  double off = 0;
  for (std::size_t i = 0; i < 150; ++i) {
    EXPECT_EQ(scores_of(first[i]), scores_of(second[i])) << "frame " << i;
    off = std::max(off, std::abs(double{scores_of(first[i])[0]} - double{scores_of(first[i])[1]}));
  }
  EXPECT_LT(off, 0.05) << "the codec's losses, not the player's";
}

TEST_F(PlayedPipeline, RecordedFramesAreReadByProgramsUnderTheirNewNames) {
  record_live("ffv1");
  ChildProcess reel = ChildProcess::program(
      reel_command(), {"play", scratch_.path() + "/live", "--speed", "0", "--stream", "moving=replay"});
  reel::ReaderOptions options;
  options.name = "test";
  options.policy = reel::Policy::lossless;
  reel::FrameReader reader("replay", options);
  reel::Frame frame;
  std::size_t frames = 0;
  while (reader.read(frame, 60'000) == reel::ReadStatus::frame) {
    EXPECT_EQ(frame.info().offset, frames);
    ++frames;
  }
  frame.release();
  EXPECT_EQ(frames, 150U);
  const ExitStatus status = reel.wait();
  EXPECT_TRUE(status.ok()) << status << reel.errors();
}

TEST_F(PlayedPipeline, StepsOnceForEachLine) {
  record_live("ffv1");
  ChildProcess reel =
      ChildProcess::program(reel_command(), {"play", scratch_.path() + "/live", "--step", "--name", "steps"});
  reel::ReaderOptions options;
  options.policy = reel::Policy::lossless;
  reel::FrameReader reader("moving", options);
  reel::Frame frame;
  EXPECT_EQ(to_string(reader.read(frame, 1000)), to_string(reel::ReadStatus::empty)) << reel.errors();
  for (std::uint64_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(reel.send(""));
    ASSERT_EQ(to_string(reader.read(frame, 60'000)), to_string(reel::ReadStatus::frame)) << reel.errors();
    EXPECT_EQ(frame.info().offset, i);
    frame.release();
  }
  reel.close_input();  // Ctrl-D
  EXPECT_EQ(to_string(reader.read(frame, 60'000)), to_string(reel::ReadStatus::ended));
  const ExitStatus status = reel.wait();
  EXPECT_TRUE(status.ok()) << status << reel.errors();
}

TEST_F(PlayedPipeline, IntoAPipelineThatIsServedAlreadyNamesTheFlag) {
  record_live("ffv1");
  const TakenPort live;
  const std::string served = "serve: 127.0.0.1:" + std::to_string(live.number());
  const std::string file = scratch_.write("served.yaml", std::string(kWatch) + served + "\n");
  std::filesystem::create_directory(scratch_.path() + "/again");
  std::vector<std::string> arguments{"play", scratch_.path() + "/live", "--speed", "0", "--into", file};
  ChildProcess refused = ChildProcess::program(reel_command(), arguments, {{"OUT", scratch_.path()}});
  EXPECT_EQ(refused.wait().code, 1);
  EXPECT_THAT(refused.errors(), HasSubstr("127.0.0.1:" + std::to_string(live.number())));
  EXPECT_THAT(refused.errors(), HasSubstr("--no-serve"));
  arguments.push_back("--no-serve");
  run(arguments);
  EXPECT_EQ(facts_of(scratch_.path() + "/again").size(), 150U) << log_;
}

TEST_F(PlayedPipeline, SaysWhatItCannotPlay) {
  record_live("ffv1");
  const std::string live = scratch_.path() + "/live";
  const auto expect_refused = [](const std::vector<std::string>& arguments, const std::string& words) {
    const ReelRun reel = run_reel(arguments);
    EXPECT_EQ(reel.status, 2) << reel.errors;
    EXPECT_THAT(reel.errors, HasSubstr(words));
  };
  expect_refused({"play", live, "--stream", "movin=x"},
                 "--stream: there is no stream 'movin' in it: did you mean 'moving'?");
  expect_refused({"play", live, "--from", "soon"}, "from: 'soon' is not a time such as");
  expect_refused({"play", live, "--from", "+3s", "--to", "+2s"}, "from '+3s' is not before to '+2s'");
  expect_refused({"play", live, "--speed", "2", "--step"}, "--step");
  const std::string quickstart = REEL_QUICKSTART;
  expect_refused({"play", live, "--into", quickstart},
                 "--into: no stage reads what is played (moving) but annotated, camera");
  expect_refused({"play", live, "--no-serve"}, "--into");
  expect_refused({"play"}, "required");
  expect_refused({"play", live, "--no-such-option"}, "there is no option '--no-such-option'");
  expect_refused({"play", live, "--speed", "-1"}, "--speed");
  const ReelRun none = run_reel({"play", live + "/none"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.errors, HasSubstr("there is no such file or directory of recordings"));
}

}  // namespace
}  // namespace reel_test
