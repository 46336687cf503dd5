// Raw samples of every format as numbers of one kind, full scale -1 to 1, and back. A double holds a sample
// of any of them exactly. Called by stages from their thread. Pure functions.
#pragma once

#include <cstddef>
#include <span>

#include <reel/format/audio_format.hpp>

/// `values` has a place for each whole sample of `bytes`; an incomplete one at the end is left out.
void read_samples(reel::SampleFormat format, std::span<const std::byte> bytes, std::span<double> values);

/// `bytes` has room for `values`. Whole numbers are rounded, and cut at full scale; floats may go beyond it.
void write_samples(reel::SampleFormat format, std::span<const double> values, std::span<std::byte> bytes);
