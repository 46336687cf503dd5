// The spectrum's numbers, and audio.spectrum between two streams.
#include "spectrum_meter.hpp"

#include <limits>
#include <tuple>

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>

#include "sound_fixture.hpp"

namespace {

using namespace reel;

TEST(FourierTransform, IsTheSumItSays) {
  std::vector<std::complex<double>> values{{1, 0}, {2, 1}, {0, -1}, {3, 2}, {-1, 0}, {0, 0}, {4, 1}, {1, -3}};
  std::vector<std::complex<double>> wanted(8);
  for (std::size_t k = 0; k < 8; ++k)
    for (std::size_t n = 0; n < 8; ++n)
      wanted[k] += values[n] * std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k * n) / 8);
  fourier_transform(values);
  for (std::size_t k = 0; k < 8; ++k) EXPECT_LT(std::abs(values[k] - wanted[k]), 1e-12) << k;
}

class SineIn : public ::testing::TestWithParam<SampleFormat> {};

TEST_P(SineIn, HasItsLevelInItsBandAndNothingElsewhere) {
  const AudioFormat format{GetParam(), 48'000, 2};
  SpectrumMeter meter(format, {.window = 4096, .bands = 10, .lowest_hz = 20, .highest_hz = 20'480});
  const std::vector<float> samples = sine(1500, 0.5F, 5000, format);  // off the transform's own frequencies
  std::vector<std::byte> bytes = bytes_of(samples);
  if (GetParam() == SampleFormat::S16LE) {
    std::vector<std::int16_t> whole;
    for (const float sample : samples)
      whole.push_back(static_cast<std::int16_t>(std::lround(sample * 32768)));
    bytes = bytes_of(whole);
  } else if (GetParam() == SampleFormat::S32LE) {
    std::vector<std::int32_t> whole;
    for (const float sample : samples)
      whole.push_back(static_cast<std::int32_t>(std::lround(sample * 2147483647.0)));
    bytes = bytes_of(whole);
  }
  meter.add(std::span(bytes).first(3000));  // in pieces that are no multiples of anything
  meter.add(std::span(bytes).subspan(3000));
  const std::vector<double> levels = meter.levels_dbfs();
  ASSERT_EQ(levels.size(), 10U);
  EXPECT_NEAR(meter.edges_hz()[6], 1280, 0.1);
  EXPECT_NEAR(levels[6], -9.03, 0.1) << "1280 to 2560 Hz";
  EXPECT_NEAR(meter.peak_hz(), 1500, 12);
  for (std::size_t band = 0; band < 10; ++band)
    if (band != 6) {
      EXPECT_LT(levels[band], -60) << band;
    }
}

INSTANTIATE_TEST_SUITE_P(All, SineIn,
                         ::testing::Values(SampleFormat::S16LE, SampleFormat::S32LE, SampleFormat::F32LE),
                         [](const auto& one) { return std::string(to_string(one.param)); });

TEST(SpectrumMeter, IsSilentWithoutSoundOrNumbers) {
  const AudioFormat format{SampleFormat::F32LE, 8000, 1};
  SpectrumMeter meter(format, {.window = 64, .bands = 3});
  for (const double level : meter.levels_dbfs()) EXPECT_EQ(level, -200);
  EXPECT_EQ(meter.peak_hz(), 0);
  EXPECT_LE(meter.edges_hz().back(), 4000) << "half the rate";
  meter.add(bytes_of(std::vector<float>(64, std::numeric_limits<float>::quiet_NaN())));
  for (const double level : meter.levels_dbfs()) EXPECT_EQ(level, -200);
}

TEST(SpectrumMeter, CountsChannelsOutOfPhase) {
  const AudioFormat format{SampleFormat::F32LE, 48'000, 2};
  SpectrumMeter meter(format, {.window = 2048, .bands = 1, .lowest_hz = 20, .highest_hz = 20'000});
  std::vector<float> samples = sine(1500, 1, 2048, format);
  for (std::size_t i = 1; i < samples.size(); i += 2) samples[i] = -samples[i];
  meter.add(bytes_of(samples));
  EXPECT_NEAR(meter.levels_dbfs()[0], -3.01, 0.1);
}

TEST(SpectrumMeter, GivesABandWithoutAFrequencyTheLevelOfTheOneNearestToIt) {
  const AudioFormat format{SampleFormat::F32LE, 6400, 1};  // 100 Hz from one frequency to the next
  const auto samples = bytes_of(sine(400, 1, 64, format));
  for (const auto& [lowest_hz, highest_hz, level] :
       {std::tuple(410.0, 440.0, -4.77), std::tuple(460.0, 490.0, -10.79),
        std::tuple(310.0, 340.0, -10.79)}) {
    SpectrumMeter meter(format, {.window = 64, .bands = 1, .lowest_hz = lowest_hz, .highest_hz = highest_hz});
    EXPECT_DOUBLE_EQ(meter.edges_hz()[0], lowest_hz) << "less than an octave is a band too";
    meter.add(samples);
    EXPECT_NEAR(meter.levels_dbfs()[0], level, 0.01) << lowest_hz;
  }
}

TEST(SpectrumMeter, HasHalfTheRateInItsLastBand) {
  const AudioFormat format{SampleFormat::F32LE, 8000, 1};
  SpectrumMeter meter(format, {.window = 64, .bands = 2, .lowest_hz = 40, .highest_hz = 16'000});
  std::vector<float> samples(64, 1);
  for (std::size_t i = 1; i < 64; i += 2) samples[i] = -1;
  meter.add(bytes_of(samples));
  EXPECT_NEAR(meter.levels_dbfs()[1], 0, 1e-6);
  EXPECT_EQ(meter.peak_hz(), 4000);
}

class Spectrum : public Sound {};

TEST_F(Spectrum, PassesSoundOnWithItsBands) {
  const AudioFormat format{SampleFormat::F32LE, 48'000, 1};
  start("audio.spectrum", {format}, {{"bands", "10"}, {"lowest_hz", "20"}, {"highest_hz", "20480"}});
  const std::vector<float> samples = sine(1500, 0.5F, 4096, format);
  send(0, samples, at_ms(5), R"({"words":1})");
  {
    const Frame frame = next();
    EXPECT_EQ(samples_of<float>(frame), samples);
    EXPECT_EQ(frame.info().pts_ns, 5'000'000);
    EXPECT_EQ(json_of(frame, "speech")["words"], 1);
    const auto said = json_of(frame, "audio.spectrum");
    ASSERT_EQ(said["dbfs"].size(), 10U);
    ASSERT_EQ(said["edges_hz"].size(), 11U);
    EXPECT_NEAR(said["dbfs"][6].get<double>(), -9.03, 0.2);
    EXPECT_NEAR(said["peak_hz"].get<double>(), 1500, 24);
  }
  FrameInfo cut;
  cut.flags = kKeyFrame | kDiscont;
  send(0, std::vector<float>(10, 0.0F), cut);
  EXPECT_EQ(json_of(next(), "audio.spectrum")["peak_hz"], 0) << "what was before a break is forgotten";
  writers_[0].set_format(AudioFormat{SampleFormat::S16LE, 8000, 2});  // in the middle
  send(0, std::vector<std::int16_t>(64, 5));
  EXPECT_LE(json_of(next(), "audio.spectrum")["edges_hz"][10].get<double>(), 4000);
  ASSERT_EQ(writers_[0].write_gap(10, 20), WriteStatus::ok);
  EXPECT_EQ(next().info().kind, FrameKind::gap);
  writers_[0].end();
  expect_end();
}

TEST_F(Spectrum, PassesSoundOnWhereItDoesNotFit) {
  start("audio.spectrum", {AudioFormat{SampleFormat::F32LE, 48'000, 1}}, {}, 8);
  send(0, std::vector<float>(64, 0.5F));
  EXPECT_TRUE(next().side_data().empty());
}

TEST_F(Spectrum, RefusesAWindowThatIsNoPowerOfTwo) {
  start("audio.spectrum", {AudioFormat{SampleFormat::F32LE, 48'000, 1}}, {{"window", "1000"}});
  reel_test::expect_error(ErrorCode::bad_config, {"1000", "power of two"}, [&] { stage_->join(); });
}

TEST_F(Spectrum, RefusesFrequenciesTheWrongWayRound) {
  start("audio.spectrum", {AudioFormat{SampleFormat::F32LE, 48'000, 1}}, {{"lowest_hz", "20000"}});
  reel_test::expect_error(ErrorCode::bad_config, {"20000", "16000", "below"}, [&] { stage_->join(); });
}

}  // namespace
