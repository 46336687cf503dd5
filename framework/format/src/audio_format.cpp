#include <reel/format/audio_format.hpp>

#include <array>

namespace reel {
namespace {

struct SampleTraits {
  SampleFormat format;
  std::string_view name;
  std::uint32_t bytes;
};

constexpr std::array<SampleTraits, 3> kSampleTraits{{
    {SampleFormat::S16LE, "S16LE", 2},
    {SampleFormat::S32LE, "S32LE", 4},
    {SampleFormat::F32LE, "F32LE", 4},
}};

}  // namespace

std::string_view to_string(SampleFormat format) noexcept {
  for (const SampleTraits& traits : kSampleTraits) {
    if (traits.format == format) return traits.name;
  }
  return "unknown";
}

std::optional<SampleFormat> sample_format_from(std::string_view name) noexcept {
  for (const SampleTraits& traits : kSampleTraits) {
    if (traits.name == name) return traits.format;
  }
  return std::nullopt;
}

std::uint32_t sample_bytes(SampleFormat format) noexcept {
  for (const SampleTraits& traits : kSampleTraits) {
    if (traits.format == format) return traits.bytes;
  }
  return 0;
}

}  // namespace reel
