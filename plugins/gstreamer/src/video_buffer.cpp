#include <algorithm>
#include <cstring>
#include <string>

#include <reel/base/error.hpp>
#include <reel/gst/video_buffer.hpp>

namespace reel::gst {

namespace {

std::string size_text(std::uint64_t width, std::uint64_t height) {
  return std::to_string(width) + "x" + std::to_string(height);
}

}  // namespace

VideoBuffer::VideoBuffer(GstBuffer* buffer, const GstVideoInfo& info, const Format& format)
    : format_(*format.video()) {
  run_ = find_plane_run(buffer, info, format_);
  if (run_) {
    layout_ = run_->layout;
    map_run(buffer);
  } else {
    layout_ = default_layout(format_);
    map_planes(buffer, info);
  }
}

void VideoBuffer::map_run(GstBuffer* buffer) {
  if (gst_buffer_map(buffer, &map_, GST_MAP_READ) == FALSE)
    throw Error(ErrorCode::io, "GStreamer cannot map a buffer of " +
                                   std::to_string(gst_buffer_get_size(buffer)) +
                                   " bytes for reading: its memory is not the processor's (a device's?)");
  buffer_ = buffer;
}

void VideoBuffer::map_planes(GstBuffer* buffer, const GstVideoInfo& info) {
  if (const GstVideoCropMeta* crop = crop_of(buffer, format_)) {
    crop_x_ = crop->x;
    crop_y_ = crop->y;
  }
  const bool mapped = gst_video_frame_map(&frame_, &info, buffer, GST_MAP_READ) != FALSE;
  if (!mapped || !planes_are_mapped()) {
    if (mapped) gst_video_frame_unmap(&frame_);
    frame_.buffer = nullptr;
    throw Error(ErrorCode::bad_argument, "a buffer of " + std::to_string(gst_buffer_get_size(buffer)) +
                                             " bytes is too small for, or does not fit, a picture of " +
                                             std::string(to_string(format_.pixel)) + " " +
                                             size_text(format_.width, format_.height));
  }
}

// What copy_component() reads lies in what was mapped: GStreamer looks at the first byte of each plane only.
bool VideoBuffer::planes_are_mapped() const noexcept {
  const GstVideoFormatInfo& of = *frame_.info.finfo;
  for (guint component = 0; component < of.n_components; ++component) {
    const guint plane = of.plane[component];
    const GstMapInfo& map = frame_.meta != nullptr ? frame_.map[plane] : frame_.map[0];
    const auto first = static_cast<std::int64_t>(static_cast<const guint8*>(frame_.data[plane]) - map.data);
    const std::int64_t stride = frame_.info.stride[plane];
    const std::int64_t top = crop_y_ >> of.h_sub[component];
    const std::int64_t last = top + GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT(&of, component, format_.height) - 1;
    const std::int64_t columns =
        (crop_x_ >> of.w_sub[component]) + GST_VIDEO_FORMAT_INFO_SCALE_WIDTH(&of, component, format_.width);
    const std::int64_t row_end = of.poffset[component] + (columns - 1) * of.pixel_stride[component] +
                                 (static_cast<std::int64_t>(of.depth[component]) + 7) / 8;
    if (first + std::min(top * stride, last * stride) < 0 ||
        first + std::max(top * stride, last * stride) + row_end > static_cast<std::int64_t>(map.size))
      return false;
  }
  return true;
}

VideoBuffer::~VideoBuffer() {
  if (buffer_ != nullptr) gst_buffer_unmap(buffer_, &map_);
  if (frame_.buffer != nullptr) gst_video_frame_unmap(&frame_);
}

std::size_t VideoBuffer::bytes() const noexcept {
  return layout_.bytes;
}

bool VideoBuffer::copy_to(Loan& loan) const noexcept {
  if (!loan.set_layout(layout_)) return false;
  if (run_)
    return loan.copy_from(
        std::as_bytes(std::span(map_.data, map_.size)).subspan(run_->begin_bytes, layout_.bytes));
  if (crop_x_ != 0 || crop_y_ != 0) {
    for (guint component = 0; component < frame_.info.finfo->n_components; ++component)
      copy_component(loan, component);
    return true;
  }
  for (std::uint32_t index = 0; index < layout_.plane_count; ++index) {
    const PlaneView to = loan.plane(index);
    const auto* from = static_cast<const std::byte*>(frame_.data[index]);
    const std::ptrdiff_t stride = frame_.info.stride[index];
    for (std::uint32_t row = 0; row < to.rows; ++row)
      std::memcpy(to.data + std::size_t{row} * to.stride_bytes, from + row * stride, to.row_bytes);
  }
  return true;
}

// Sample by sample: in YUY2 a picture that begins at an odd pixel has its samples in other places.
void VideoBuffer::copy_component(Loan& loan, guint component) const noexcept {
  const GstVideoFormatInfo& of = *frame_.info.finfo;
  const guint plane = of.plane[component];
  const PlaneView to = loan.plane(plane);
  const auto step = static_cast<std::size_t>(of.pixel_stride[component]);
  const std::size_t bytes = (of.depth[component] + 7) / 8;
  const auto rows =
      static_cast<std::size_t>(GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT(&of, component, format_.height));
  const auto columns =
      static_cast<std::size_t>(GST_VIDEO_FORMAT_INFO_SCALE_WIDTH(&of, component, format_.width));
  const auto* from = static_cast<const std::byte*>(frame_.data[plane]) + of.poffset[component] +
                     (crop_x_ >> of.w_sub[component]) * step;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::byte* source = from + static_cast<std::ptrdiff_t>(row + (crop_y_ >> of.h_sub[component])) *
                                         frame_.info.stride[plane];
    std::byte* target = to.data + row * to.stride_bytes + of.poffset[component];
    for (std::size_t column = 0; column < columns; ++column)
      std::memcpy(target + column * step, source + column * step, bytes);
  }
}

}  // namespace reel::gst
