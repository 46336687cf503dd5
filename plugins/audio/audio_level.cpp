// Stage `audio.level`: passes sound on with its RMS and peak in dBFS as side data (level_meter.hpp has the
// formula).
#include "level_meter.hpp"

#include <array>
#include <optional>
#include <string>

#include <reel/base/log.hpp>
#include <reel/stage/plugin.hpp>

namespace audio_level {
namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kInputs{
    PortSpec{"in", reel::kTakesAudio, "raw sound: S16LE, S32LE or F32LE, interleaved"}};
constexpr std::array kOutputs{PortSpec{"out", reel::kTakesAudio, "the same sound with an audio_level entry"}};
constexpr std::array kOptions{OptionSpec{
    "window_ms", OptionType::number, "50",
    "measure each frame together with the sound before it, this many ms in all; 0: each frame alone",
    "0..10000"}};

class Level : public reel::Stage {
 public:
  void configure(const reel::Options& options) override { window_ms_ = options.number("window_ms"); }
  void process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;
  void other(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;

 private:
  void follow(const reel::Frame& frame);
  void add_level(reel::Loan& loan, const reel::Frame& frame);

  double window_ms_ = 50;
  std::optional<reel::AudioFormat> format_;
  std::optional<LevelMeter> meter_;
  bool warned_ = false;
};

void Level::process(reel::StageContext& context, reel::Input& /*input*/, const reel::Frame& frame) {
  reel::Output& output = context.output();
  output.follow(frame);
  follow(frame);
  reel::Loan loan = output.acquire(frame.data().size());
  static_cast<void>(loan.copy_from(frame.data()));  // acquire() has made room for it
  add_level(loan, frame);
  output.publish(std::move(loan), frame.info());
}

// Gaps and events go on as they are.
void Level::other(reel::StageContext& context, reel::Input& /*input*/, const reel::Frame& frame) {
  context.output().follow(frame);
  context.output().write(frame.data(), frame.info(), frame.side_data());
}

void Level::follow(const reel::Frame& frame) {
  if (format_ != *frame.format().audio()) {
    format_ = *frame.format().audio();
    meter_.emplace(*format_, window_ms_);
  }
  if ((frame.info().flags & reel::kDiscont) != 0 || frame.missed_before() > 0) meter_->reset();
}

void Level::add_level(reel::Loan& loan, const reel::Frame& frame) {
  const reel::AudioLevel level = meter_->measure(frame.data());
  const bool fits =
      loan.side_data().add_audio_level("audio.level", level) && loan.side_data().add_all(frame.side_data());
  if (fits || warned_) return;
  warned_ = true;
  reel::log_warning("side data does not fit the output's " + std::to_string(loan.side_data().capacity()) +
                    " bytes a frame and is left out: raise the stream's side_data_bytes");
}

}  // namespace

REEL_STAGE(Level, "audio.level", "passes sound on with its RMS and peak level in dBFS", kInputs, kOutputs,
           kOptions)

}  // namespace audio_level
