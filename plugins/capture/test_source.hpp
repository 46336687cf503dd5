// test://PATTERN: GStreamer's test picture and a tone that lasts as long. Single-thread.
#pragma once

#include "source.hpp"

#include <cstdint>

#include <reel/format/video_format.hpp>

namespace capture {

/// What a test source makes. The URI's query (test://ball?width=320&tone=1000) wins over the stage's options.
struct TestPlan {
  std::string pattern;  // videotestsrc's own name of it
  std::string pixel;
  std::int64_t width = 0, height = 0;  // pixels
  reel::Fraction fps;
  std::int64_t frames = 0;  // 0: without end
  std::string sample;
  std::int64_t rate_hz = 0, channels = 0;
  double tone_hz = 0;  // 0: silence
  double volume = 0;   // peak amplitude of the tone, 1 is full scale
};

class TestSource : public Source {
 public:
  /// Throws Error{bad_config} for an unknown pattern (naming the nearest), key or value.
  TestSource(const std::string& uri, const reel::Options& options);

  [[nodiscard]] reel::gst::Ptr<GstElement> make_element(const Wanted& wanted) const override;
  [[nodiscard]] const TestPlan& plan() const noexcept { return plan_; }

 private:
  TestPlan plan_;
};

}  // namespace capture
