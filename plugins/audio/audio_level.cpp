// Stage `audio.level`: passes sound on with its RMS and peak in dBFS as side data (level_meter.hpp has the
// formula).
#include "level_meter.hpp"
#include "sound_filter.hpp"

#include <array>
#include <optional>

namespace audio_level {
namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kOutputs{PortSpec{"out", reel::kTakesAudio, "the same sound with an audio_level entry"}};
constexpr std::array kOptions{OptionSpec{
    "window_ms", OptionType::number, "50",
    "measure each frame together with the sound before it, this many ms in all; 0: each frame alone",
    "0..10000"}};

class Level final : public SoundFilter {
 public:
  void configure(const reel::Options& options) override { window_ms_ = options.number("window_ms"); }

 private:
  [[nodiscard]] bool add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) override {
    const bool anew = begins_anew(frame);
    if (format_ != *frame.format().audio()) {
      format_ = *frame.format().audio();
      meter_.emplace(*format_, window_ms_);
    } else if (anew) {
      meter_->reset();
    }
    const bool fits = side_data.add_audio_level("audio.level", meter_->measure(frame.data()));
    return side_data.add_all(frame.side_data()) && fits;
  }

  double window_ms_ = 50;
  std::optional<reel::AudioFormat> format_;
  std::optional<LevelMeter> meter_;
};

}  // namespace

REEL_STAGE(Level, "audio.level", "passes sound on with its RMS and peak level in dBFS", kSoundIn, kOutputs,
           kOptions)

}  // namespace audio_level
