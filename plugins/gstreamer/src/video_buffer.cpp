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
  const GstVideoCropMeta* crop = gst_buffer_get_video_crop_meta(buffer);
  if (crop != nullptr && (crop->width != format_.width || crop->height != format_.height))
    throw Error(ErrorCode::bad_argument,
                "a picture cropped to " + size_text(crop->width, crop->height) + " came with caps of " +
                    size_text(format_.width, format_.height) + ": put a videocrop element before");
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
  if (gst_video_frame_map(&frame_, &info, buffer, GST_MAP_READ) == FALSE) {
    frame_.buffer = nullptr;
    throw Error(ErrorCode::bad_argument, "a buffer of " + std::to_string(gst_buffer_get_size(buffer)) +
                                             " bytes is too small for, or does not fit, a picture of " +
                                             std::string(to_string(format_.pixel)) + " " +
                                             size_text(format_.width, format_.height));
  }
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
  for (std::uint32_t index = 0; index < layout_.plane_count; ++index) {
    const PlaneView to = loan.plane(index);
    const auto* from = static_cast<const std::byte*>(frame_.data[index]);
    const std::ptrdiff_t stride = frame_.info.stride[index];
    for (std::uint32_t row = 0; row < to.rows; ++row)
      std::memcpy(to.data + std::size_t{row} * to.stride_bytes, from + row * stride, to.row_bytes);
  }
  return true;
}

}  // namespace reel::gst
