// Raw video: pixel formats by GStreamer's names, and where each plane lies in a frame. Pure values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace reel {

/// Names and memory layouts are GStreamer's (GstVideoFormat, "Video raw media types" in its design
/// documents). The numbers are part of the shared-memory layout: never renumber.
enum class PixelFormat : std::uint32_t {
  I420 = 1,       // planar Y, U, V; chroma half in both directions
  NV12 = 2,       // Y plane, then interleaved U and V, half in both directions
  NV21 = 3,       // Y plane, then interleaved V and U
  YUY2 = 4,       // packed 4:2:2, Y0 U Y1 V
  UYVY = 5,       // packed 4:2:2, U Y0 V Y1
  RGB = 6,        // 3 bytes a pixel
  BGR = 7,        // 3 bytes a pixel: OpenCV's order
  RGBx = 8,       // 4 bytes a pixel, the last unused
  BGRx = 9,       // 4 bytes a pixel, the last unused
  RGBA = 10,      // 4 bytes a pixel
  BGRA = 11,      // 4 bytes a pixel
  Y444 = 12,      // planar Y, U, V, all full size
  GRAY8 = 13,     // 1 byte a pixel
  GRAY16_LE = 14  // 2 bytes a pixel, little-endian
};

[[nodiscard]] std::string_view to_string(PixelFormat format) noexcept;
[[nodiscard]] std::optional<PixelFormat> pixel_format_from(std::string_view name) noexcept;
[[nodiscard]] std::span<const PixelFormat> all_pixel_formats() noexcept;

inline constexpr std::size_t kMaxPlanes = 4;
/// Largest width and height in pixels; also the bound that keeps every size computation inside 64 bits.
inline constexpr std::uint32_t kMaxVideoSize = 32768;

/// Frames per second as a fraction; 0/1 is "variable or unknown".
struct Fraction {
  std::uint32_t numerator = 0;
  std::uint32_t denominator = 1;
  bool operator==(const Fraction&) const = default;
};

struct VideoFormat {
  PixelFormat pixel = PixelFormat::I420;
  std::uint32_t width = 0;   // pixels, 1 to kMaxVideoSize
  std::uint32_t height = 0;  // pixels, 1 to kMaxVideoSize
  Fraction fps{};
  bool operator==(const VideoFormat&) const = default;
};

/// One plane of a frame: `rows` rows of `row_bytes` meaningful bytes, `stride_bytes` apart, the first at
/// `offset_bytes`.
struct Plane {
  std::uint64_t offset_bytes = 0;
  std::uint32_t stride_bytes = 0;
  std::uint32_t row_bytes = 0;
  std::uint32_t rows = 0;
  bool operator==(const Plane&) const = default;
};

struct VideoLayout {
  std::uint32_t plane_count = 0;
  std::array<Plane, kMaxPlanes> planes{};
  /// One past the last byte of the last plane, stride padding included as far as it is there.
  std::uint64_t bytes = 0;
  bool operator==(const VideoLayout&) const = default;
};

[[nodiscard]] std::uint32_t plane_count(PixelFormat format) noexcept;

/// GStreamer's default layout (gst_video_info_set_format): strides rounded up to 4 bytes, planes one behind
/// the other, odd sizes rounded up for chroma. Throws Error{bad_argument} for a size of 0 or above
/// kMaxVideoSize.
[[nodiscard]] VideoLayout default_layout(const VideoFormat& format);

/// `row_bytes` and `rows` of each plane filled in, the offsets and strides as given (each has plane_count
/// entries or more). Returns nullopt unless the size is in range, every stride holds a row and fits an int
/// (what GStreamer and others count in), and the last row of every plane ends within `payload_bytes` (its
/// stride padding need not). Planes may overlap. Never overflows, whatever the values: for layouts that come
/// from a peer.
[[nodiscard]] std::optional<VideoLayout> checked_layout(const VideoFormat& format,
                                                        std::span<const std::uint64_t> offsets,
                                                        std::span<const std::uint32_t> strides,
                                                        std::uint64_t payload_bytes) noexcept;

}  // namespace reel
