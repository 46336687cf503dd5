#include "chain.hpp"

#include <algorithm>
#include <cstring>

namespace record {

namespace {

std::shared_ptr<GstBuffer> shared(GstBuffer* buffer) {
  return {buffer, reel::gst::Unref{}};
}

void copy_plane(std::span<const std::byte> from, const reel::Plane& source, std::byte* to,
                const reel::Plane& target) {
  const std::uint32_t width = std::min(source.row_bytes, target.row_bytes);
  for (std::uint32_t row = 0; row < std::min(source.rows, target.rows); ++row) {
    const std::uint64_t begin = source.offset_bytes + std::uint64_t{row} * source.stride_bytes;
    if (begin + width > from.size()) return;
    std::memcpy(to + target.offset_bytes + std::uint64_t{row} * target.stride_bytes, from.data() + begin,
                width);
  }
}

}  // namespace

// Raw pictures are laid out as GStreamer does by itself: muxers write what is there, padding and all.
std::shared_ptr<GstBuffer> buffer_of(std::span<const std::byte> bytes, const reel::Format& format,
                                     const reel::VideoLayout& layout) {
  const reel::VideoLayout wanted =
      format.video() != nullptr ? default_layout(*format.video()) : reel::VideoLayout{};
  if (format.video() == nullptr || layout == wanted)
    return shared(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  std::shared_ptr<GstBuffer> buffer = shared(gst_buffer_new_allocate(nullptr, wanted.bytes, nullptr));
  GstMapInfo map{};
  if (gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE) == FALSE) return buffer;
  std::memset(map.data, 0, map.size);
  for (std::uint32_t plane = 0; plane < std::min(layout.plane_count, wanted.plane_count); ++plane)
    copy_plane(bytes, layout.planes.at(plane), reinterpret_cast<std::byte*>(map.data),
               wanted.planes.at(plane));
  gst_buffer_unmap(buffer.get(), &map);
  return buffer;
}

std::shared_ptr<GstBuffer> buffer_of(const reel::Frame& frame) {
  return buffer_of(frame.data(), frame.format(), frame.layout());
}

}  // namespace record
