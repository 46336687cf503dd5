// Raw audio, interleaved. Pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace reel {

/// GStreamer's names. The numbers are part of the shared-memory layout.
enum class SampleFormat : std::uint32_t {
  S16LE = 1,  // signed 16 bit
  S32LE = 2,  // signed 32 bit
  F32LE = 3   // IEEE 754 single, full scale is -1 to 1
};

[[nodiscard]] std::string_view to_string(SampleFormat format) noexcept;
[[nodiscard]] std::optional<SampleFormat> sample_format_from(std::string_view name) noexcept;

struct AudioFormat {
  SampleFormat sample = SampleFormat::S16LE;
  std::uint32_t rate_hz = 0;   // sample frames per second, 1 to 768000
  std::uint32_t channels = 0;  // 1 to 64, interleaved
  bool operator==(const AudioFormat&) const = default;
};

[[nodiscard]] std::uint32_t sample_bytes(SampleFormat format) noexcept;
/// Bytes of one sample of every channel.
[[nodiscard]] inline std::uint32_t sample_frame_bytes(const AudioFormat& format) noexcept {
  return sample_bytes(format.sample) * format.channels;
}

}  // namespace reel
