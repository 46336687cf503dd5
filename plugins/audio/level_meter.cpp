#include "level_meter.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace audio_level {

namespace {

constexpr float kSilence = -200.0F;  // dBFS

float decibels(double amplitude) {
  return amplitude <= 0 ? kSilence : std::max(kSilence, static_cast<float>(20.0 * std::log10(amplitude)));
}

template <typename Sample>
float full_scale_is_one(Sample sample) {
  if constexpr (std::is_floating_point_v<Sample>)
    return std::isfinite(sample) ? sample : 0.0F;
  else
    return static_cast<float>(sample) / -static_cast<float>(std::numeric_limits<Sample>::min());
}

}  // namespace

LevelMeter::LevelMeter(const reel::AudioFormat& format, double window_ms)
    : format_(format),
      channels_(std::min<std::size_t>(format.channels, reel::kMaxLevelChannels)),
      window_frames_(static_cast<std::size_t>(std::llround(window_ms * format.rate_hz / 1000.0))),
      history_(window_frames_ * channels_) {}

void LevelMeter::Totals::add(std::size_t channel, float value) noexcept {
  squares[channel] += static_cast<double>(value) * value;
  peaks[channel] = std::max(peaks[channel], std::fabs(value));
}

void LevelMeter::add_history(Totals& totals, std::size_t frames) const noexcept {
  for (std::size_t back = 1; back <= frames; ++back) {
    const float* values = &history_[(next_ + window_frames_ - back) % window_frames_ * channels_];
    for (std::size_t channel = 0; channel < channels_; ++channel) totals.add(channel, values[channel]);
  }
  totals.frames += frames;
}

template <typename Sample>
void LevelMeter::add_samples(Totals& totals, const std::byte* samples, std::size_t frames) noexcept {
  for (std::size_t frame = 0; frame < frames; ++frame) {
    const std::byte* at = samples + frame * format_.channels * sizeof(Sample);
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      Sample sample;
      std::memcpy(&sample, at + channel * sizeof(Sample), sizeof sample);
      const float value = full_scale_is_one(sample);
      totals.add(channel, value);
      if (window_frames_ != 0) history_[next_ * channels_ + channel] = value;
    }
    if (window_frames_ != 0) next_ = (next_ + 1) % window_frames_;
  }
  kept_ = std::min(kept_ + frames, window_frames_);
  totals.frames += frames;
}

reel::AudioLevel LevelMeter::measure(std::span<const std::byte> samples) noexcept {
  const std::size_t frames = samples.size() / reel::sample_frame_bytes(format_);
  Totals totals;
  add_history(totals, frames < window_frames_ ? std::min(kept_, window_frames_ - frames) : 0);
  switch (format_.sample) {
    case reel::SampleFormat::S16LE: add_samples<std::int16_t>(totals, samples.data(), frames); break;
    case reel::SampleFormat::S32LE: add_samples<std::int32_t>(totals, samples.data(), frames); break;
    case reel::SampleFormat::F32LE: add_samples<float>(totals, samples.data(), frames); break;
  }
  reel::AudioLevel level;
  level.channels = static_cast<std::uint32_t>(channels_);
  for (std::size_t channel = 0; channel < channels_; ++channel) {
    const double mean = totals.frames == 0 ? 0 : totals.squares[channel] / static_cast<double>(totals.frames);
    level.rms_dbfs[channel] = decibels(std::sqrt(mean));
    level.peak_dbfs[channel] = decibels(totals.peaks[channel]);
  }
  return level;
}

}  // namespace audio_level
