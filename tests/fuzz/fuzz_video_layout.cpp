// A plane layout from a peer: what checked_layout() accepts lies inside the payload, computed here in 128
// bits.
#include <cstring>

#include <reel/base/error.hpp>
#include <reel/format/video_format.hpp>

#include "fuzz.hpp"

namespace {

using reel::fuzz::require;

// The input, little-endian; missing bytes are zeros.
struct Given {
  std::uint32_t pixel;
  std::uint32_t width;
  std::uint32_t height;
  std::uint32_t planes;
  std::uint64_t payload_bytes;
  std::uint64_t offsets[reel::kMaxPlanes];
  std::uint32_t strides[reel::kMaxPlanes];
};

void check_default(const reel::VideoFormat& format) {
  try {
    const reel::VideoLayout layout = reel::default_layout(format);
    require(layout.bytes > 0 && layout.plane_count == reel::plane_count(format.pixel), "a layout has planes");
  } catch (const reel::Error& error) {
    require(error.code() == reel::ErrorCode::bad_argument, "the error is bad_argument");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  __extension__ using Wide = unsigned __int128;
  Given given{};
  if (size > 0) std::memcpy(&given, data, size < sizeof given ? size : sizeof given);
  const reel::VideoFormat format{static_cast<reel::PixelFormat>(given.pixel), given.width, given.height, {}};
  check_default(format);

  const std::size_t planes = given.planes <= reel::kMaxPlanes ? given.planes : reel::kMaxPlanes;
  const auto layout = reel::checked_layout(format, std::span(given.offsets).first(planes),
                                           std::span(given.strides).first(planes), given.payload_bytes);
  if (!layout) return 0;
  require(layout->plane_count >= 1 && layout->plane_count <= planes, "no plane is made up");
  require(layout->bytes <= given.payload_bytes, "the layout ends inside the payload");
  for (std::uint32_t i = 0; i < layout->plane_count; ++i) {
    const reel::Plane& plane = layout->planes[i];
    require(plane.rows >= 1 && plane.row_bytes >= 1, "a plane has something in it");
    require(plane.stride_bytes >= plane.row_bytes, "a stride holds a row");
    const Wide end = Wide{plane.offset_bytes} + Wide{plane.stride_bytes} * (plane.rows - 1) + plane.row_bytes;
    require(end <= given.payload_bytes, "a plane ends inside the payload");
    require(end <= layout->bytes, "the layout's size covers its planes");
  }
  return 0;
}
