// Side data of one frame, made by tests. Single-thread.
#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <reel/format/side_data.hpp>

namespace record {

class Side {
 public:
  void move(float score) { EXPECT_TRUE(writer_.add_motion("test.motion", {score})); }
  void detect(const std::vector<std::pair<std::string, float>>& seen) {
    std::vector<reel::Detection> list;
    for (const auto& [label, score] : seen) {
      reel::Detection& one = list.emplace_back();
      one.set_label(label);
      one.score = score;
    }
    EXPECT_TRUE(writer_.add_detections("test.detector", list));
  }
  void sound(std::initializer_list<float> rms) {
    reel::AudioLevel level;
    for (const float value : rms) level.rms_dbfs.at(level.channels++) = value;
    EXPECT_TRUE(writer_.add_audio_level("test.level", level));
  }
  [[nodiscard]] reel::SideDataView view() const { return writer_.view(); }

 private:
  alignas(8) std::array<std::byte, 4096> bytes_{};
  reel::SideDataWriter writer_{bytes_};
};

}  // namespace record
