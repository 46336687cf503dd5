// How much sound there is in each band of frequencies: the discrete Fourier transform of the newest samples
// under a Hann window. Used by audio.spectrum from its stage thread. Single-thread.
//
// Levels are in dBFS as reel::AudioLevel has them (a full-scale square wave is 0 dBFS): a full-scale sine
// gives -3.01 dB in its band. The power of channels is averaged, so that sound out of phase does not vanish.
#pragma once

#include <complex>
#include <cstddef>
#include <span>
#include <vector>

#include <reel/format/audio_format.hpp>

/// In place: values[k] becomes the sum over n of values[n] exp(-2 pi i k n / N).
/// REQUIRES: N = values.size() is a power of two.
void fourier_transform(std::span<std::complex<double>> values);

struct SpectrumSettings {
  std::size_t window = 2048;  // samples, a power of two
  std::size_t bands = 24;
  double lowest_hz = 40, highest_hz = 16000;
};

class SpectrumMeter {
 public:
  /// Bands are equally wide in octaves, from the lowest to the highest frequency or half the rate, whichever
  /// is less (which is in the last one); one that no frequency of the transform lies in has the level of the
  /// nearest to its middle.
  SpectrumMeter(const reel::AudioFormat& format, const SpectrumSettings& settings);

  /// Lower edges of the bands, and the upper edge of the last, Hz.
  [[nodiscard]] const std::vector<double>& edges_hz() const noexcept { return edges_hz_; }
  /// The samples (sample frames x channels) are the newest now.
  void add(std::span<const std::byte> samples);
  /// Of each band, -200 at least; of the whole window: silence where there was no sound yet.
  [[nodiscard]] std::vector<double> levels_dbfs();
  /// Of the strongest frequency at levels_dbfs(), Hz; 0 for silence.
  [[nodiscard]] double peak_hz() const noexcept { return peak_hz_; }

 private:
  [[nodiscard]] double hz_of(std::size_t bin) const;

  reel::AudioFormat format_;
  std::size_t window_;
  std::vector<double> edges_hz_;
  std::vector<double> hann_;
  std::vector<double> newest_;  // ring of sample frames x channels
  std::size_t next_ = 0;        // where the next sample frame goes in it
  std::vector<double> values_;
  std::vector<double> power_;  // of each frequency
  std::vector<std::complex<double>> transformed_;
  double peak_hz_ = 0;
};
