// RMS and peak of interleaved samples over a sliding window. Single-thread; allocates only when it is made.
//
// AES17-2015 refers dBFS to a full-scale sine; Reel, as reel::AudioLevel says, refers both values to full
// scale itself (a full-scale square wave is 0 dBFS): rms_dbfs = 20 log10 sqrt(mean(x^2)), peak_dbfs = 20
// log10 max|x|, x from -1 to 1. So a sine's RMS lies 3.01 dB below its peak; add 3.01 dB to an RMS value to
// have AES17's.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <reel/format/audio_format.hpp>
#include <reel/format/side_data.hpp>

namespace audio_level {

class LevelMeter {
 public:
  /// `window_ms` 0: each call's own samples only.
  LevelMeter(const reel::AudioFormat& format, double window_ms);

  /// The level of `samples` (sample frames x channels; an incomplete one at the end is left out) and of as
  /// much sound before them as fills the window. Of more than kMaxLevelChannels channels: the first. Samples
  /// that are no finite numbers count as silence.
  [[nodiscard]] reel::AudioLevel measure(std::span<const std::byte> samples) noexcept;

  /// Forgets the sound before: what comes does not continue it.
  void reset() noexcept { kept_ = 0; }

 private:
  struct Totals {
    std::size_t frames = 0;
    std::array<double, reel::kMaxLevelChannels> squares{};
    std::array<float, reel::kMaxLevelChannels> peaks{};
    void add(std::size_t channel, float value) noexcept;
  };
  void add_history(Totals& totals, std::size_t frames) const noexcept;
  template <typename Sample>
  void add_samples(Totals& totals, const std::byte* samples, std::size_t frames) noexcept;

  reel::AudioFormat format_;
  std::size_t channels_;        // that are measured
  std::size_t window_frames_;   // 0: nothing is kept
  std::vector<float> history_;  // ring of sample frames x channels_
  std::size_t next_ = 0;        // where the next sample frame goes in it
  std::size_t kept_ = 0;        // sample frames in it
};

}  // namespace audio_level
