// A capture stage and readers of its outputs, in one process. Single-thread.
#pragma once

#include "made_media.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <reel_test/running_stage.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/channel/frame_reader.hpp>

namespace capture_test {

class CaptureTest : public ::testing::Test {
 protected:
  using Texts = std::map<std::string, std::string>;

  /// Starts the stage on streams of its own; connects lossless readers to the outputs that are asked for.
  void start(const Texts& options, bool video, bool audio) {
    reel::StageSetup setup;
    setup.name = "camera";
    setup.plugin = "capture";
    setup.base_directory = media_.path();
    setup.options = reel_test::options(options);
    if (video) setup.outputs.push_back({"video", video_stream_, writer()});
    if (audio) setup.outputs.push_back({"audio", audio_stream_, writer()});
    stage_.emplace(setup);
    if (video) video_.emplace(video_stream_, reader("test", reel::Policy::lossless));
    if (audio) audio_.emplace(audio_stream_, reader("test", reel::Policy::lossless));
    join(video_);
    join(audio_);
    if (video)
      join(starters_.emplace_back(std::in_place, video_stream_, reader("starter", reel::Policy::queue)));
    if (audio)
      join(starters_.emplace_back(std::in_place, audio_stream_, reader("starter", reel::Policy::queue)));
    EXPECT_TRUE(
        reel_test::wait_until([&] { return stage_->ended() || (has_frame(video_) && has_frame(audio_)); }));
    starters_.clear();  // who does not read delays the end
  }

  /// The next frame; fails the test when there is none.
  [[nodiscard]] static reel::Frame next(std::optional<reel::FrameReader>& reader) {
    reel::Frame frame;
    const reel::ReadStatus status = reader->read(frame, 60'000);
    EXPECT_EQ(to_string(status), to_string(reel::ReadStatus::frame)) << reader->error();
    return frame;
  }

  /// What is kept of a frame when it has gone.
  struct Seen {
    reel::FrameInfo info;
    std::size_t bytes = 0;
    std::uint64_t missed = 0;
  };
  /// Reads to the end of the stream.
  [[nodiscard]] static std::vector<Seen> read_all_of(std::optional<reel::FrameReader>& reader) {
    std::vector<Seen> seen;
    reel::Frame frame;
    reel::ReadStatus status{};
    while ((status = reader->read(frame, 60'000)) == reel::ReadStatus::frame)
      seen.push_back({frame.info(), frame.data().size(), frame.missed_before()});
    EXPECT_EQ(to_string(status), to_string(reel::ReadStatus::ended)) << reader->error();
    return seen;
  }

  reel_test::TempRuntimeDir directory_;
  MediaDir media_;
  std::string video_stream_ = reel_test::unique_name("camera");
  std::string audio_stream_ = reel_test::unique_name("microphone");
  std::optional<reel::FrameReader> video_, audio_;
  std::optional<reel_test::RunningStage> stage_;

 private:
  // Readers join when they are asked for a frame. None comes before the starters have joined: they are the
  // last.
  void join(std::optional<reel::FrameReader>& reader) {
    EXPECT_TRUE(reel_test::wait_until([&] {
      reel::Frame frame;
      if (reader && !reader->connected()) static_cast<void>(reader->try_read(frame));
      return !reader || reader->connected() || stage_->ended();
    }));
  }
  [[nodiscard]] static bool has_frame(std::optional<reel::FrameReader>& reader) {
    return !reader || !reader->prepare_wait();
  }
  [[nodiscard]] static reel::WriterOptions writer() {
    reel::WriterOptions options;
    options.wait_for = {"test", "starter"};
    return options;
  }
  [[nodiscard]] static reel::ReaderOptions reader(const char* name, reel::Policy policy) {
    reel::ReaderOptions options;
    options.name = name;
    options.policy = policy;
    return options;
  }

  std::vector<std::optional<reel::FrameReader>> starters_;  // read nothing
};

}  // namespace capture_test
