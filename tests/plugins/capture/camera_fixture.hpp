// A capture stage on a camera, in one process with readers of its outputs. Single-thread.
#pragma once

#include "made_media.hpp"

#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <reel_test/running_stage.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/channel/frame_reader.hpp>

namespace capture_test {

class CameraTest : public ::testing::Test {
 protected:
  using Texts = std::map<std::string, std::string>;

  /// Starts the stage with live outputs of these ports; readers come with reader(). Options that are not
  /// given make it try again quickly.
  void start(Texts texts, std::initializer_list<const char*> ports) {
    texts.emplace("reconnect_delay", "100ms");
    texts.emplace("reconnect_delay_max", "500ms");
    reel::StageSetup setup;
    setup.name = "camera";
    setup.plugin = "capture";
    setup.base_directory = files_.path();
    setup.options = reel_test::options(texts);
    reel::WriterOptions writer;
    writer.live = true;
    for (const char* port : ports) setup.outputs.push_back({port, stream(port), writer});
    stage_.emplace(setup);
  }
  [[nodiscard]] std::string stream(const std::string& port) const { return name_ + "." + port; }
  [[nodiscard]] reel::FrameReader reader(const std::string& port, reel::Policy policy = reel::Policy::queue,
                                         reel::Start start = reel::Start::live) const {
    reel::ReaderOptions options;
    options.policy = policy;
    options.start = start;
    return reel::FrameReader(stream(port), options);
  }
  /// The next frame; fails the test when there is none.
  [[nodiscard]] static reel::Frame next(reel::FrameReader& reader) {
    reel::Frame frame;
    const reel::ReadStatus status = reader.read(frame, 60'000);
    EXPECT_EQ(to_string(status), to_string(reel::ReadStatus::frame)) << reader.error();
    return frame;
  }
  /// Reads on until a frame that does not continue the one before, and returns that.
  [[nodiscard]] static reel::Frame next_discont(reel::FrameReader& reader) {
    for (;;) {
      reel::Frame frame = next(reader);
      if (!frame || (frame.info().flags & reel::kDiscont) != 0) return frame;
    }
  }

  reel_test::TempRuntimeDir directory_;
  MediaDir files_;
  std::string name_ = reel_test::unique_name("camera");
  std::optional<reel_test::RunningStage> stage_;
};

}  // namespace capture_test
