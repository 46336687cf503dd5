#include "samples.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace {

template <typename Sample>
constexpr double kFullScale = -static_cast<double>(std::numeric_limits<Sample>::min());

// Frames may lie at any address of a slot: samples are copied, not cast.
template <typename Sample>
void read_all(std::span<const std::byte> bytes, std::span<double> values) {
  for (std::size_t i = 0; i < values.size() && (i + 1) * sizeof(Sample) <= bytes.size(); ++i) {
    Sample sample;
    std::memcpy(&sample, bytes.data() + i * sizeof(Sample), sizeof sample);
    if constexpr (std::is_floating_point_v<Sample>)
      values[i] = static_cast<double>(sample);
    else
      values[i] = static_cast<double>(sample) / kFullScale<Sample>;
  }
}

template <typename Sample>
void write_all(std::span<const double> values, std::span<std::byte> bytes) {
  for (std::size_t i = 0; i < values.size() && (i + 1) * sizeof(Sample) <= bytes.size(); ++i) {
    Sample sample{};
    if constexpr (std::is_floating_point_v<Sample>) {
      sample = static_cast<Sample>(values[i]);
    } else if (!std::isnan(values[i])) {
      const double scaled = std::nearbyint(values[i] * kFullScale<Sample>);
      sample = static_cast<Sample>(std::clamp(scaled, -kFullScale<Sample>, kFullScale<Sample> - 1));
    }
    std::memcpy(bytes.data() + i * sizeof(Sample), &sample, sizeof sample);
  }
}

}  // namespace

void read_samples(reel::SampleFormat format, std::span<const std::byte> bytes, std::span<double> values) {
  switch (format) {
    case reel::SampleFormat::S16LE: return read_all<std::int16_t>(bytes, values);
    case reel::SampleFormat::S32LE: return read_all<std::int32_t>(bytes, values);
    case reel::SampleFormat::F32LE: return read_all<float>(bytes, values);
  }
}

void write_samples(reel::SampleFormat format, std::span<const double> values, std::span<std::byte> bytes) {
  switch (format) {
    case reel::SampleFormat::S16LE: return write_all<std::int16_t>(values, bytes);
    case reel::SampleFormat::S32LE: return write_all<std::int32_t>(values, bytes);
    case reel::SampleFormat::F32LE: return write_all<float>(values, bytes);
  }
}
