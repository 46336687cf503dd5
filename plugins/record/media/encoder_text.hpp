// The settings of each encoder as GStreamer's launch text, so that its pictures come out at once (no
// look-ahead, no reordered pictures). Pure.
#pragma once

#include <string>
#include <string_view>

#include <reel/format/format.hpp>

#include "coding.hpp"

namespace record {

/// Elements from raw video of `format` through `element`, which makes `codec`, to what a container takes.
/// REQUIRES: `element` is one of encoders_of(codec).
[[nodiscard]] std::string video_text(std::string_view element, const reel::VideoFormat& format,
                                     const CodingWish& wish);
[[nodiscard]] std::string audio_text(std::string_view element, const reel::AudioFormat& format,
                                     const CodingWish& wish);

/// Pixels that hold `pixel` in full, of those that the codec can store; empty when there are none.
[[nodiscard]] std::string_view ffv1_pixels(reel::PixelFormat pixel) noexcept;
[[nodiscard]] std::string_view raw_pixels(reel::PixelFormat pixel) noexcept;

}  // namespace record
