#include "level_meter.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

namespace {

using audio_level::LevelMeter;
using reel::AudioFormat;
using reel::AudioLevel;
using reel::SampleFormat;

template <typename Sample>
std::span<const std::byte> bytes(const std::vector<Sample>& samples) {
  return std::as_bytes(std::span(samples));
}

// A whole number of periods of 1 kHz at 48 kHz.
template <typename Sample>
std::vector<Sample> sine(double amplitude, double full_scale, std::size_t frames, std::size_t channels = 1) {
  std::vector<Sample> samples;
  for (std::size_t frame = 0; frame < frames; ++frame)
    for (std::size_t channel = 0; channel < channels; ++channel)
      samples.push_back(static_cast<Sample>(
          amplitude * full_scale * std::sin(2 * std::numbers::pi * static_cast<double>(frame) / 48.0)));
  return samples;
}

TEST(LevelMeter, PutsTheRmsOfASineThreeDecibelsBelowItsPeakInEverySampleFormat) {
  const auto check = [](SampleFormat sample, std::span<const std::byte> samples) {
    LevelMeter meter({sample, 48'000, 1}, 0);
    const AudioLevel level = meter.measure(samples);
    EXPECT_EQ(level.channels, 1U);
    EXPECT_NEAR(level.peak_dbfs[0], -6.02, 0.01);
    EXPECT_NEAR(level.rms_dbfs[0], -9.03, 0.01);
  };
  check(SampleFormat::S16LE, bytes(sine<std::int16_t>(0.5, 32768, 4800)));
  check(SampleFormat::S32LE, bytes(sine<std::int32_t>(0.5, 2147483648.0, 4800)));
  check(SampleFormat::F32LE, bytes(sine<float>(0.5, 1, 4800)));
}

TEST(LevelMeter, CallsAFullScaleSquareWaveZero) {
  std::vector<std::int16_t> square(480, std::numeric_limits<std::int16_t>::min());
  LevelMeter meter({SampleFormat::S16LE, 48'000, 1}, 0);
  const AudioLevel level = meter.measure(bytes(square));
  EXPECT_FLOAT_EQ(level.rms_dbfs[0], 0);
  EXPECT_FLOAT_EQ(level.peak_dbfs[0], 0);
}

TEST(LevelMeter, StoresSilenceAndNoSamplesAsMinusTwoHundred) {
  LevelMeter meter({SampleFormat::F32LE, 48'000, 2}, 50);
  EXPECT_FLOAT_EQ(meter.measure({}).rms_dbfs[1], -200);
  const AudioLevel level = meter.measure(bytes(std::vector<float>(960, 0.0F)));
  EXPECT_FLOAT_EQ(level.rms_dbfs[0], -200);
  EXPECT_FLOAT_EQ(level.peak_dbfs[1], -200);
}

TEST(LevelMeter, MeasuresEachChannelByItself) {
  LevelMeter meter({SampleFormat::F32LE, 48'000, 2}, 0);
  const AudioLevel level = meter.measure(bytes(std::vector<float>{0.1F, -1, 0.1F, 1, -0.1F, 1}));
  EXPECT_EQ(level.channels, 2U);
  EXPECT_NEAR(level.peak_dbfs[0], -20, 1e-4);
  EXPECT_NEAR(level.rms_dbfs[0], -20, 1e-4);
  EXPECT_NEAR(level.peak_dbfs[1], 0, 1e-4);
}

TEST(LevelMeter, CountsTheSoundBeforeAFrameUpToTheWindowAndNoFurther) {
  LevelMeter meter({SampleFormat::F32LE, 1000, 1}, 4);  // four samples
  EXPECT_NEAR(meter.measure(bytes(std::vector<float>{1, 1})).rms_dbfs[0], 0, 1e-4);
  // 1 1 0 0: half the power.
  const AudioLevel half = meter.measure(bytes(std::vector<float>{0, 0}));
  EXPECT_NEAR(half.rms_dbfs[0], -3.01, 0.01);
  EXPECT_NEAR(half.peak_dbfs[0], 0, 1e-4);
  // 1 has left, 0 0 0 remain with it: 1 0 0 0.
  EXPECT_NEAR(meter.measure(bytes(std::vector<float>{0})).rms_dbfs[0], -6.02, 0.01);
  EXPECT_FLOAT_EQ(meter.measure(bytes(std::vector<float>{0})).rms_dbfs[0], -200);
}

TEST(LevelMeter, MeasuresAllOfAFrameThatIsLongerThanTheWindow) {
  LevelMeter meter({SampleFormat::F32LE, 1000, 1}, 2);
  const AudioLevel level = meter.measure(bytes(std::vector<float>{1, 0, 0, 0}));
  EXPECT_NEAR(level.peak_dbfs[0], 0, 1e-4);
  EXPECT_NEAR(level.rms_dbfs[0], -6.02, 0.01);
}

TEST(LevelMeter, ForgetsWhatWasBeforeAReset) {
  LevelMeter meter({SampleFormat::F32LE, 1000, 1}, 100);
  EXPECT_NEAR(meter.measure(bytes(std::vector<float>{1})).peak_dbfs[0], 0, 1e-4);
  meter.reset();
  EXPECT_FLOAT_EQ(meter.measure(bytes(std::vector<float>{0})).peak_dbfs[0], -200);
}

TEST(LevelMeter, TakesNoNumbersForSilenceAndAnIncompleteSampleForNothing) {
  const float no_number = std::numeric_limits<float>::quiet_NaN();
  const float endless = std::numeric_limits<float>::infinity();
  LevelMeter meter({SampleFormat::F32LE, 48'000, 1}, 0);
  const std::vector<float> samples{no_number, endless, -endless, 0.1F};
  EXPECT_NEAR(meter.measure(bytes(samples)).peak_dbfs[0], -20, 1e-4);
  EXPECT_FLOAT_EQ(meter.measure(bytes(samples).first(15)).peak_dbfs[0], -200);
}

TEST(LevelMeter, MeasuresTheFirstEightOfMoreChannels) {
  LevelMeter meter({SampleFormat::S16LE, 48'000, 10}, 50);
  std::vector<std::int16_t> samples(20, 0);
  samples[7] = samples[18] = std::numeric_limits<std::int16_t>::min();
  const AudioLevel level = meter.measure(bytes(samples));
  EXPECT_EQ(level.channels, reel::kMaxLevelChannels);
  EXPECT_NEAR(level.peak_dbfs[7], 0, 1e-4);
}

}  // namespace
