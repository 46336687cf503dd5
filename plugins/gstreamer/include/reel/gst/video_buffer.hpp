// A mapped GstBuffer of raw video on its way into a stream's slot. Single-thread.
#pragma once

#include <cstddef>
#include <optional>

#include <gst/gst.h>
#include <gst/video/video.h>

#include <reel/channel/frame_writer.hpp>
#include <reel/format/format.hpp>
#include <reel/gst/video_layout.hpp>

namespace reel::gst {

class VideoBuffer {
 public:
  /// Maps `buffer`, which must live as long. REQUIRES: `format` is raw video, of the same caps as `info`.
  /// Throws Error{bad_argument} when the buffer is smaller than its caps, GstVideoMeta and crop say.
  VideoBuffer(GstBuffer* buffer, const GstVideoInfo& info, const Format& format);
  VideoBuffer(const VideoBuffer&) = delete;
  VideoBuffer& operator=(const VideoBuffer&) = delete;
  ~VideoBuffer();

  /// What the loan must hold.
  [[nodiscard]] std::size_t bytes() const noexcept;

  /// Fills the loan, its layout included: one fused copy and hash with the buffer's own strides where its
  /// planes are one run of bytes, else row by row into the default layout. False when the loan is too small.
  [[nodiscard]] bool copy_to(Loan& loan) const noexcept;

 private:
  void map_run(GstBuffer* buffer);
  void map_planes(GstBuffer* buffer, const GstVideoInfo& info);
  [[nodiscard]] bool planes_are_mapped() const noexcept;
  void copy_component(Loan& loan, guint component) const noexcept;

  VideoFormat format_;
  std::optional<PlaneRun> run_;
  VideoLayout layout_;           // of the loan
  GstBuffer* buffer_ = nullptr;  // mapped through map_, when run_
  GstMapInfo map_{};
  GstVideoFrame frame_{};          // mapped when not run_
  guint crop_x_ = 0, crop_y_ = 0;  // pixels, of frame_
};

}  // namespace reel::gst
