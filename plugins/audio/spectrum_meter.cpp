#include "spectrum_meter.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "samples.hpp"

namespace {
constexpr double kSilence_dbfs = -200;
}

// Cooley and Tukey's, radix 2: bits reversed first, then butterflies of growing spans.
void fourier_transform(std::span<std::complex<double>> values) {
  const std::size_t count = values.size();
  for (std::size_t i = 1, reversed = 0; i < count; ++i) {
    std::size_t bit = count >> 1;
    for (; (reversed & bit) != 0; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
    if (i < reversed) std::swap(values[i], values[reversed]);
  }
  for (std::size_t span = 2; span <= count; span *= 2) {
    const std::complex<double> turn = std::polar(1.0, -2 * std::numbers::pi / static_cast<double>(span));
    for (std::size_t start = 0; start < count; start += span) {
      std::complex<double> factor = 1;
      for (std::size_t i = start; i < start + span / 2; ++i) {
        const std::complex<double> even = values[i], odd = values[i + span / 2] * factor;
        values[i] = even + odd;
        values[i + span / 2] = even - odd;
        factor *= turn;
      }
    }
  }
}

SpectrumMeter::SpectrumMeter(const reel::AudioFormat& format, const SpectrumSettings& settings)
    : format_(format),
      window_(settings.window),
      newest_(settings.window * format.channels),
      power_(settings.window / 2 + 1),
      transformed_(settings.window) {
  const double highest_hz = std::min(settings.highest_hz, format.rate_hz / 2.0);
  const double lowest_hz = settings.lowest_hz < highest_hz ? settings.lowest_hz : highest_hz / 2;
  for (std::size_t i = 0; i <= settings.bands; ++i)
    edges_hz_.push_back(lowest_hz * std::pow(highest_hz / lowest_hz,
                                             static_cast<double>(i) / static_cast<double>(settings.bands)));
  for (std::size_t i = 0; i < window_; ++i)
    hann_.push_back(
        0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(window_)));
}

void SpectrumMeter::add(std::span<const std::byte> samples) {
  const std::size_t bytes = reel::sample_frame_bytes(format_);
  const std::size_t frames = samples.size() / bytes;
  const std::size_t taken = std::min(frames, window_);
  values_.resize(taken * format_.channels);
  read_samples(format_.sample, samples.subspan((frames - taken) * bytes), values_);
  for (std::size_t frame = 0; frame < taken; ++frame) {
    for (std::size_t channel = 0; channel < format_.channels; ++channel) {
      const double value = values_[frame * format_.channels + channel];
      newest_[next_ * format_.channels + channel] = std::isfinite(value) ? value : 0;
    }
    next_ = (next_ + 1) % window_;
  }
}

double SpectrumMeter::hz_of(std::size_t bin) const {
  return static_cast<double>(bin) * format_.rate_hz / static_cast<double>(window_);
}

std::vector<double> SpectrumMeter::levels_dbfs() {
  // The mean square of a signal is the sum of |X|^2 / N^2 over all frequencies; a Hann window leaves 3/8 of
  // it, and a real signal has each frequency twice.
  const double scale = 8.0 / 3.0 / (static_cast<double>(window_) * static_cast<double>(window_));
  std::ranges::fill(power_, 0.0);
  for (std::size_t channel = 0; channel < format_.channels; ++channel) {
    for (std::size_t i = 0; i < window_; ++i)
      transformed_[i] = newest_[(next_ + i) % window_ * format_.channels + channel] * hann_[i];
    fourier_transform(transformed_);
    for (std::size_t bin = 1; bin < power_.size(); ++bin)
      power_[bin] += std::norm(transformed_[bin]) * scale * (bin == window_ / 2 ? 1 : 2) / format_.channels;
  }
  const auto most = std::ranges::max_element(power_);
  peak_hz_ = *most > 0 ? hz_of(static_cast<std::size_t>(most - power_.begin())) : 0;

  std::vector<double> levels;
  for (std::size_t band = 0; band + 1 < edges_hz_.size(); ++band) {
    const auto bin_of = [this](double place) {
      return std::clamp<std::size_t>(static_cast<std::size_t>(place), 1, power_.size() - 1);
    };
    const double low = edges_hz_[band] / hz_of(1), high = edges_hz_[band + 1] / hz_of(1);
    std::size_t from = bin_of(std::ceil(low)), to = bin_of(std::ceil(high));
    if (band + 2 == edges_hz_.size() && high >= hz_of(power_.size() - 1) / hz_of(1))
      ++to;            // half the rate itself
    if (from >= to) {  // none lies in it
      from = bin_of(std::round(std::sqrt(low * high)));
      to = from + 1;
    }
    double power = 0;
    for (std::size_t bin = from; bin < to; ++bin) power += power_[bin];
    levels.push_back(power > 0 ? std::max(kSilence_dbfs, 10 * std::log10(power)) : kSilence_dbfs);
  }
  return levels;
}
