#include "default_layout.hpp"

#include <string>

#include <reel/base/error.hpp>
#include <reel/gst/pointers.hpp>

namespace reel::gst {
namespace {

class MappedPicture {
 public:
  MappedPicture(GstBuffer* buffer, const GstVideoInfo& info, GstMapFlags flags) {
    if (gst_video_frame_map(&frame, &info, buffer, flags) == FALSE)
      throw Error(ErrorCode::bad_argument, "a buffer of " + std::to_string(gst_buffer_get_size(buffer)) +
                                               " bytes is too small for, or does not fit, a picture of " +
                                               GST_VIDEO_INFO_NAME(&info));
  }
  MappedPicture(const MappedPicture&) = delete;
  MappedPicture& operator=(const MappedPicture&) = delete;
  ~MappedPicture() { gst_video_frame_unmap(&frame); }

  GstVideoFrame frame{};
};

void move_to_corner(GstVideoFrame& frame, const GstVideoCropMeta& crop) {
  const GstVideoFormatInfo* format = frame.info.finfo;
  for (guint component = 0; component < format->n_components; ++component) {
    const guint plane = format->plane[component];
    const auto pixel_bytes = static_cast<guint>(format->pixel_stride[component]);
    if (pixel_bytes == 0)
      throw Error(ErrorCode::bad_argument, std::string("a cropped picture of ") + format->name +
                                               ": its pixels are not whole bytes; put a videocrop before");
    if (component != 0 && plane == format->plane[component - 1]) continue;
    auto* data = static_cast<std::byte*>(frame.data[plane]);
    frame.data[plane] = data + std::ptrdiff_t{crop.y >> format->h_sub[component]} * frame.info.stride[plane] +
                        std::ptrdiff_t{crop.x >> format->w_sub[component]} * pixel_bytes;
  }
}

}  // namespace

bool in_default_layout(GstBuffer* buffer, const GstVideoInfo& info) noexcept {
  if (gst_buffer_get_video_crop_meta(buffer) != nullptr) return false;
  const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
  if (meta == nullptr) return true;
  if (meta->n_planes != GST_VIDEO_INFO_N_PLANES(&info)) return false;
  for (guint plane = 0; plane < meta->n_planes; ++plane) {
    if (meta->offset[plane] != info.offset[plane] || meta->stride[plane] != info.stride[plane]) return false;
  }
  return true;
}

void copy_to_default_layout(GstBuffer* buffer, const GstVideoInfo& info, Loan& loan) {
  MappedPicture from(buffer, info, GST_MAP_READ);
  if (const GstVideoCropMeta* crop = gst_buffer_get_video_crop_meta(buffer))
    move_to_corner(from.frame, *crop);
  const auto bytes = loan.data();
  const Ptr<GstBuffer> place(gst_buffer_new_wrapped_full(static_cast<GstMemoryFlags>(0), bytes.data(),
                                                         bytes.size(), 0, bytes.size(), nullptr, nullptr));
  MappedPicture to(place.get(), info, GST_MAP_WRITE);
  if (gst_video_frame_copy(&to.frame, &from.frame) == FALSE)
    throw Error(ErrorCode::bad_argument, std::string("a picture of ") + GST_VIDEO_INFO_NAME(&info) +
                                             " is not of the size of its caps");
}

}  // namespace reel::gst
