// Stage `audio.gain`: makes sound louder or quieter.
#include "samples.hpp"
#include "sound_filter.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kOutputs{PortSpec{"out", reel::kTakesAudio, "the same sound, louder or quieter"}};
constexpr std::array kOptions{
    OptionSpec{"gain_db", OptionType::number, "0",
               "decibels; 6 doubles the amplitude, -6 halves it; S16LE and S32LE are cut at full scale",
               "-120..60"},
    OptionSpec{"mute", OptionType::boolean, "false", "silence, whatever the gain"}};

class Gain final : public SoundFilter {
 public:
  void configure(const reel::Options& options) override {
    factor_ = options.boolean("mute") ? 0 : std::pow(10.0, options.number("gain_db") / 20);
  }

 private:
  void fill(reel::Loan& loan, const reel::Frame& frame) override {
    const reel::SampleFormat format = frame.format().audio()->sample;
    values_.resize(frame.data().size() / reel::sample_bytes(format));
    read_samples(format, frame.data(), values_);
    // Silence is silence even where there were no numbers.
    std::ranges::transform(values_, values_.begin(),
                           [this](double value) { return factor_ == 0 ? 0 : value * factor_; });
    write_samples(format, values_, loan.data());
    const std::size_t whole = values_.size() * reel::sample_bytes(format);
    std::ranges::copy(frame.data().subspan(whole), loan.data().subspan(whole).begin());
  }

  double factor_ = 1;
  std::vector<double> values_;
};

}  // namespace

REEL_STAGE(Gain, "audio.gain", "makes sound louder or quieter", kSoundIn, kOutputs, kOptions)
