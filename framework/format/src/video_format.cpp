#include <reel/format/video_format.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include <reel/base/error.hpp>

namespace reel {
namespace {

// How one plane samples the picture: a group of `group_bytes` for every `columns` x `lines` pixels.
struct PlaneShape {
  std::uint32_t columns;
  std::uint32_t lines;
  std::uint32_t group_bytes;
};

struct PixelTraits {
  PixelFormat format;
  std::string_view name;
  std::uint32_t planes;
  std::array<PlaneShape, kMaxPlanes> shape;
};

// In the order of the enumeration, whose numbers begin at 1: traits_of() indexes it.
constexpr std::array<PixelTraits, 14> kPixelTraits{{
    {PixelFormat::I420, "I420", 3, {{{1, 1, 1}, {2, 2, 1}, {2, 2, 1}}}},
    {PixelFormat::NV12, "NV12", 2, {{{1, 1, 1}, {2, 2, 2}}}},
    {PixelFormat::NV21, "NV21", 2, {{{1, 1, 1}, {2, 2, 2}}}},
    {PixelFormat::YUY2, "YUY2", 1, {{{2, 1, 4}}}},
    {PixelFormat::UYVY, "UYVY", 1, {{{2, 1, 4}}}},
    {PixelFormat::RGB, "RGB", 1, {{{1, 1, 3}}}},
    {PixelFormat::BGR, "BGR", 1, {{{1, 1, 3}}}},
    {PixelFormat::RGBx, "RGBx", 1, {{{1, 1, 4}}}},
    {PixelFormat::BGRx, "BGRx", 1, {{{1, 1, 4}}}},
    {PixelFormat::RGBA, "RGBA", 1, {{{1, 1, 4}}}},
    {PixelFormat::BGRA, "BGRA", 1, {{{1, 1, 4}}}},
    {PixelFormat::Y444, "Y444", 3, {{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}}}},
    {PixelFormat::GRAY8, "GRAY8", 1, {{{1, 1, 1}}}},
    {PixelFormat::GRAY16_LE, "GRAY16_LE", 1, {{{1, 1, 2}}}},
}};

constexpr bool in_enumeration_order() {
  for (std::size_t i = 0; i < kPixelTraits.size(); ++i) {
    if (static_cast<std::size_t>(kPixelTraits[i].format) != i + 1) return false;
  }
  return true;
}
static_assert(in_enumeration_order());

constexpr auto kPixelFormats = [] {
  std::array<PixelFormat, kPixelTraits.size()> formats{};
  std::transform(kPixelTraits.begin(), kPixelTraits.end(), formats.begin(),
                 [](const PixelTraits& traits) { return traits.format; });
  return formats;
}();

// nullptr for a number that is no pixel format: it may have come from a peer.
const PixelTraits* traits_of(PixelFormat format) noexcept {
  const auto number = static_cast<std::size_t>(format);
  return number >= 1 && number <= kPixelTraits.size() ? &kPixelTraits[number - 1] : nullptr;
}

constexpr std::uint32_t kMaxStrideBytes = std::numeric_limits<std::int32_t>::max();

constexpr std::uint32_t divide_up(std::uint32_t value, std::uint32_t by) {
  return (value + by - 1) / by;
}
constexpr std::uint32_t round_up(std::uint32_t value, std::uint32_t to) {
  return divide_up(value, to) * to;
}

bool in_range(std::uint32_t size) noexcept {
  return size >= 1 && size <= kMaxVideoSize;
}

// The meaningful part of a plane, without offset and stride.
Plane sampled_plane(const VideoFormat& format, const PlaneShape& shape) noexcept {
  return {.row_bytes = divide_up(format.width, shape.columns) * shape.group_bytes,
          .rows = divide_up(format.height, shape.lines)};
}

}  // namespace

std::string_view to_string(PixelFormat format) noexcept {
  const PixelTraits* traits = traits_of(format);
  return traits ? traits->name : "unknown";
}

std::optional<PixelFormat> pixel_format_from(std::string_view name) noexcept {
  for (const PixelTraits& traits : kPixelTraits) {
    if (traits.name == name) return traits.format;
  }
  return std::nullopt;
}

std::span<const PixelFormat> all_pixel_formats() noexcept {
  return kPixelFormats;
}

std::uint32_t plane_count(PixelFormat format) noexcept {
  const PixelTraits* traits = traits_of(format);
  return traits ? traits->planes : 0;
}

VideoLayout default_layout(const VideoFormat& format) {
  const PixelTraits* traits = traits_of(format.pixel);
  if (!traits) {
    throw Error(ErrorCode::bad_argument,
                fmt::format("pixel format number {} is none of 1 to {}",
                            static_cast<std::uint32_t>(format.pixel), kPixelTraits.size()));
  }
  for (const auto& [name, size] : {std::pair{"width", format.width}, std::pair{"height", format.height}}) {
    if (!in_range(size)) {
      throw Error(ErrorCode::bad_argument,
                  fmt::format("video {} is {} pixels: it must be from 1 to {}", name, size, kMaxVideoSize));
    }
  }
  std::uint32_t tallest_group = 1;
  for (std::uint32_t i = 0; i < traits->planes; ++i)
    tallest_group = std::max(tallest_group, traits->shape[i].lines);

  VideoLayout layout;
  layout.plane_count = traits->planes;
  for (std::uint32_t i = 0; i < traits->planes; ++i) {
    const PlaneShape& shape = traits->shape[i];
    Plane plane = sampled_plane(format, shape);
    plane.offset_bytes = layout.bytes;
    plane.stride_bytes = round_up(plane.row_bytes, 4);
    // With an odd height a full-size plane has one row more than it shows, so that it holds whole groups.
    const std::uint32_t stored_rows = round_up(format.height, tallest_group) / shape.lines;
    layout.bytes += std::uint64_t{plane.stride_bytes} * stored_rows;
    layout.planes[i] = plane;
  }
  return layout;
}

std::optional<VideoLayout> checked_layout(const VideoFormat& format, std::span<const std::uint64_t> offsets,
                                          std::span<const std::uint32_t> strides,
                                          std::uint64_t payload_bytes) noexcept {
  const PixelTraits* traits = traits_of(format.pixel);
  if (!traits || !in_range(format.width) || !in_range(format.height)) return std::nullopt;
  if (offsets.size() < traits->planes || strides.size() < traits->planes) return std::nullopt;

  VideoLayout layout;
  layout.plane_count = traits->planes;
  for (std::uint32_t i = 0; i < traits->planes; ++i) {
    Plane plane = sampled_plane(format, traits->shape[i]);
    plane.offset_bytes = offsets[i];
    plane.stride_bytes = strides[i];
    if (plane.stride_bytes < plane.row_bytes || plane.stride_bytes > kMaxStrideBytes) return std::nullopt;
    if (plane.offset_bytes > payload_bytes) return std::nullopt;
    // Below 2^31 * 2^15, whatever the stride: sizes are bounded by kMaxVideoSize.
    const std::uint64_t shown_bytes = std::uint64_t{plane.stride_bytes} * (plane.rows - 1) + plane.row_bytes;
    const std::uint64_t room_bytes = payload_bytes - plane.offset_bytes;
    if (shown_bytes > room_bytes) return std::nullopt;
    const std::uint64_t padded_bytes = std::uint64_t{plane.stride_bytes} * plane.rows;
    layout.bytes = std::max(layout.bytes, plane.offset_bytes + std::min(padded_bytes, room_bytes));
    layout.planes[i] = plane;
  }
  return layout;
}

}  // namespace reel
