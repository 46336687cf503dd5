// Raw video of every pixel format to OpenCV's BGR and back, and scaled: for filters and viewers. Header-only,
// like opencv.hpp: whoever includes it links opencv_core and opencv_imgproc. Single-thread; pictures are
// 8-bit height x width x 3 BGR.
//
// Planes are taken where they lie: any strides, any order, odd sizes. YUV is BT.601 in video range (luma 16
// to 235), as OpenCV has it; GRAY8 and GRAY16_LE are full range, 0 black.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <reel/channel/opencv.hpp>

namespace reel {

namespace opencv_detail {

/// A raw picture as matrices over its planes. Those of a frame are read-only memory: never a destination.
struct Planes {
  PixelFormat pixel = PixelFormat::BGR;
  cv::Size size;  // of the picture; chroma planes are smaller, packed 4:2:2 may be one pixel wider
  std::array<cv::Mat, kMaxPlanes> mats;
};

[[nodiscard]] inline const VideoFormat& video_of(const Format& format) {
  const VideoFormat* video = format.video();
  if (video == nullptr)
    throw Error(ErrorCode::bad_argument,
                "a frame of \"" + format.caps() + "\" is no raw video: decode it first");
  return *video;
}

[[nodiscard]] inline Planes planes_of(const VideoFormat& video, const VideoLayout& layout,
                                      const std::byte* payload) {
  Planes planes{video.pixel, cv::Size(static_cast<int>(video.width), static_cast<int>(video.height)), {}};
  for (std::uint32_t i = 0; i < layout.plane_count; ++i) {
    const Plane& plane = layout.planes[i];
    planes.mats[i] = plane_mat(opencv_type(video.pixel, i), plane.rows, plane.row_bytes,
                               const_cast<std::byte*>(payload) + plane.offset_bytes, plane.stride_bytes);
  }
  return planes;
}

/// One chroma sample for two columns and two rows: planar 4:2:0.
[[nodiscard]] inline bool halves_chroma(PixelFormat pixel) noexcept {
  return pixel == PixelFormat::I420 || pixel == PixelFormat::NV12 || pixel == PixelFormat::NV21;
}
/// One chroma sample for two columns, luma and chroma in one plane.
[[nodiscard]] inline bool packed_422(PixelFormat pixel) noexcept {
  return pixel == PixelFormat::YUY2 || pixel == PixelFormat::UYVY;
}

/// The picture with both sides even, its last row and column repeated; itself when they are.
[[nodiscard]] inline cv::Mat padded_to_even(const cv::Mat& picture) {
  if (picture.rows % 2 == 0 && picture.cols % 2 == 0) return picture;
  cv::Mat even;
  cv::copyMakeBorder(picture, even, 0, picture.rows % 2, 0, picture.cols % 2, cv::BORDER_REPLICATE);
  return even;
}

// BT.601 in video range for 4:4:4, which OpenCV's cvtColor lacks (ITU-R BT.601-7, scaled to 8 bits). Rows: B,
// G, R of Y, U, V.
inline const cv::Matx34f kYuvToBgr{1.164383F, 2.017232F,  0.0F,       -276.835856F,  //
                                   1.164383F, -0.391762F, -0.812968F, 135.575296F,   //
                                   1.164383F, 0.0F,       1.596027F,  -222.921584F};
// Rows: Y, U, V of B, G, R.
inline const cv::Matx34f kBgrToYuv{0.097906F,  0.504129F,  0.256788F,  16.0F,   //
                                   0.439216F,  -0.290993F, -0.148223F, 128.0F,  //
                                   -0.071427F, -0.367788F, 0.439216F,  128.0F};

inline void half_chroma_to_bgr(const Planes& planes, cv::OutputArray bgr) {
  cv::Mat chroma = planes.mats[1];
  if (planes.pixel == PixelFormat::I420) {
    const cv::Mat both[] = {planes.mats[1], planes.mats[2]};
    cv::merge(both, 2, chroma);
  }
  const int code = planes.pixel == PixelFormat::NV21 ? cv::COLOR_YUV2BGR_NV21 : cv::COLOR_YUV2BGR_NV12;
  const cv::Mat luma = padded_to_even(planes.mats[0]);
  if (luma.size() == planes.size) return cv::cvtColorTwoPlane(luma, chroma, bgr, code);
  cv::Mat whole;
  cv::cvtColorTwoPlane(luma, chroma, whole, code);
  whole(cv::Rect({0, 0}, planes.size)).copyTo(bgr);
}

inline void packed_422_to_bgr(const Planes& planes, cv::OutputArray bgr) {
  const int code = planes.pixel == PixelFormat::YUY2 ? cv::COLOR_YUV2BGR_YUY2 : cv::COLOR_YUV2BGR_UYVY;
  const cv::Mat& pairs = planes.mats[0];
  if (pairs.size() == planes.size) return cv::cvtColor(pairs, bgr, code);
  cv::Mat whole;
  cv::cvtColor(pairs, whole, code);
  whole(cv::Rect({0, 0}, planes.size)).copyTo(bgr);
}

inline void planes_to_bgr(const Planes& planes, cv::OutputArray bgr) {
  const cv::Mat& first = planes.mats[0];
  switch (planes.pixel) {
    case PixelFormat::I420:
    case PixelFormat::NV12:
    case PixelFormat::NV21: return half_chroma_to_bgr(planes, bgr);
    case PixelFormat::YUY2:
    case PixelFormat::UYVY: return packed_422_to_bgr(planes, bgr);
    case PixelFormat::BGR: return first.copyTo(bgr);
    case PixelFormat::RGB: return cv::cvtColor(first, bgr, cv::COLOR_RGB2BGR);
    case PixelFormat::RGBx:
    case PixelFormat::RGBA: return cv::cvtColor(first, bgr, cv::COLOR_RGBA2BGR);
    case PixelFormat::BGRx:
    case PixelFormat::BGRA: return cv::cvtColor(first, bgr, cv::COLOR_BGRA2BGR);
    case PixelFormat::GRAY8: return cv::cvtColor(first, bgr, cv::COLOR_GRAY2BGR);
    case PixelFormat::GRAY16_LE: {
      cv::Mat gray;
      first.convertTo(gray, CV_8U, 1.0 / 257);
      return cv::cvtColor(gray, bgr, cv::COLOR_GRAY2BGR);
    }
    case PixelFormat::Y444: {
      cv::Mat yuv;
      cv::merge(planes.mats.data(), 3, yuv);
      return cv::transform(yuv, bgr, kYuvToBgr);
    }
  }
}

inline void bgr_to_half_chroma(const cv::Mat& bgr, Planes& planes) {
  const cv::Mat even = padded_to_even(bgr);
  cv::Mat yuv;  // Y, then U, then V, without gaps
  cv::cvtColor(even, yuv, cv::COLOR_BGR2YUV_I420);
  const cv::Size half(even.cols / 2, even.rows / 2);
  const cv::Mat u(half, CV_8UC1, yuv.ptr(even.rows));
  const cv::Mat v(half, CV_8UC1, yuv.ptr(even.rows) + half.area());
  yuv(cv::Rect({0, 0}, planes.size)).copyTo(planes.mats[0]);
  if (planes.pixel == PixelFormat::I420) {
    u.copyTo(planes.mats[1]);
    v.copyTo(planes.mats[2]);
    return;
  }
  const cv::Mat uv[] = {u, v}, vu[] = {v, u};
  cv::merge(planes.pixel == PixelFormat::NV12 ? uv : vu, 2, planes.mats[1]);
}

inline void bgr_to_packed_422(const cv::Mat& bgr, Planes& planes) {
  cv::Mat even = bgr;
  if (bgr.cols % 2 != 0) cv::copyMakeBorder(bgr, even, 0, 0, 0, 1, cv::BORDER_REPLICATE);
  cv::Mat yuv, chroma;
  cv::transform(even, yuv, kBgrToYuv);
  cv::resize(yuv, chroma, cv::Size(even.cols / 2, even.rows), 0, 0, cv::INTER_AREA);  // the mean of each pair
  cv::Mat luma;
  cv::extractChannel(yuv, luma, 0);
  const cv::Mat sources[] = {luma.reshape(2), chroma};  // channels: Y0 Y1 | Y U V
  cv::Mat pairs = planes.mats[0].reshape(4);            // Y0 U Y1 V or U Y0 V Y1, in place
  const int yuy2[] = {0, 0, 3, 1, 1, 2, 4, 3};
  const int uyvy[] = {3, 0, 0, 1, 4, 2, 1, 3};
  cv::mixChannels(sources, 2, &pairs, 1, planes.pixel == PixelFormat::YUY2 ? yuy2 : uyvy, 4);
}

/// Every plane's matrix has its size and type already, so that OpenCV writes in place.
inline void bgr_to_planes(const cv::Mat& bgr, Planes& planes) {
  cv::Mat& first = planes.mats[0];
  switch (planes.pixel) {
    case PixelFormat::I420:
    case PixelFormat::NV12:
    case PixelFormat::NV21: return bgr_to_half_chroma(bgr, planes);
    case PixelFormat::YUY2:
    case PixelFormat::UYVY: return bgr_to_packed_422(bgr, planes);
    case PixelFormat::BGR: return bgr.copyTo(first);
    case PixelFormat::RGB: return cv::cvtColor(bgr, first, cv::COLOR_BGR2RGB);
    case PixelFormat::RGBx:
    case PixelFormat::RGBA: return cv::cvtColor(bgr, first, cv::COLOR_BGR2RGBA);
    case PixelFormat::BGRx:
    case PixelFormat::BGRA: return cv::cvtColor(bgr, first, cv::COLOR_BGR2BGRA);
    case PixelFormat::GRAY8: return cv::cvtColor(bgr, first, cv::COLOR_BGR2GRAY);
    case PixelFormat::GRAY16_LE: {
      cv::Mat gray;
      cv::cvtColor(bgr, gray, cv::COLOR_BGR2GRAY);
      return gray.convertTo(first, CV_16U, 257);
    }
    case PixelFormat::Y444: {
      cv::Mat yuv;
      cv::transform(bgr, yuv, kBgrToYuv);
      return cv::split(yuv, planes.mats.data());
    }
  }
}

/// A part of the picture, whose corner is moved to even coordinates where chroma asks for it.
[[nodiscard]] inline Planes part_of(const Planes& whole, cv::Rect part) {
  const bool half = halves_chroma(whole.pixel);
  if (half || packed_422(whole.pixel)) part.width += std::exchange(part.x, part.x & ~1) & 1;
  if (half) part.height += std::exchange(part.y, part.y & ~1) & 1;
  Planes cut{whole.pixel, part.size(), {}};
  for (std::size_t i = 0; i < kMaxPlanes && !whole.mats[i].empty(); ++i) {
    cv::Rect here = part;
    if (half && i > 0) here = {part.x / 2, part.y / 2, (part.width + 1) / 2, (part.height + 1) / 2};
    if (packed_422(whole.pixel)) here.width += part.width % 2;
    cut.mats[i] = whole.mats[i](here);
  }
  return cut;
}

/// Scales plane by plane. Packed 4:2:2 has no planes to scale: not for those.
inline void scale_planes(const Planes& from, Planes& to, int interpolation) {
  for (std::size_t i = 0; i < kMaxPlanes && !from.mats[i].empty(); ++i)
    cv::resize(from.mats[i], to.mats[i], to.mats[i].size(), 0, 0, interpolation);
}

}  // namespace opencv_detail

/// A raw picture in plain memory (a FrameCopy, say) to BGR. Throws Error{bad_argument} for a format that is
/// no raw video. REQUIRES: `layout` fits `payload` (checked_layout).
inline void to_bgr(const Format& format, const VideoLayout& layout, std::span<const std::byte> payload,
                   cv::OutputArray bgr) {
  opencv_detail::planes_to_bgr(
      opencv_detail::planes_of(opencv_detail::video_of(format), layout, payload.data()), bgr);
}

/// A frame's picture to BGR; a private picture, or straight into a loan of BGR by its WriteView.
inline void to_bgr(const Frame& frame, cv::OutputArray bgr) {
  to_bgr(frame.format(), frame.layout(), frame.data(), bgr);
}
[[nodiscard]] inline cv::Mat to_bgr(const Frame& frame) {
  cv::Mat bgr;
  to_bgr(frame, bgr);
  return bgr;
}

/// The part `part` of a frame's picture, scaled to `size`. Scales before it converts: cheap when much
/// smaller.
inline void to_bgr_scaled(const Frame& frame, const cv::Rect& part, cv::Size size, cv::OutputArray bgr) {
  using namespace opencv_detail;
  const VideoFormat& video = video_of(frame.format());
  const Planes cut = part_of(planes_of(video, frame.layout(), frame.data().data()), part);
  if (packed_422(video.pixel)) {
    cv::Mat whole;
    planes_to_bgr(cut, whole);
    return cv::resize(whole, bgr, size, 0, 0, cv::INTER_AREA);
  }
  const VideoFormat small{
      video.pixel, static_cast<std::uint32_t>(size.width), static_cast<std::uint32_t>(size.height), {}};
  const VideoLayout layout = default_layout(small);
  std::vector<std::byte> place(layout.bytes);
  Planes scaled = planes_of(small, layout, place.data());
  scale_planes(cut, scaled, cv::INTER_AREA);
  planes_to_bgr(scaled, bgr);
}

/// Fills a loan of raw video of any pixel format from a BGR picture of the same size.
/// Throws Error{bad_argument} when the loan is no raw video or of another size.
inline void from_bgr(const cv::Mat& bgr, Loan& loan) {
  using namespace opencv_detail;
  Planes planes = planes_of(video_of(loan.format()), loan.layout(), loan.data().data());
  if (bgr.size() != planes.size || bgr.type() != CV_8UC3)
    throw Error(ErrorCode::bad_argument, "a picture of " + std::to_string(bgr.cols) + " x " +
                                             std::to_string(bgr.rows) + " does not fill a loan of \"" +
                                             loan.format().caps() + "\"");
  bgr_to_planes(bgr, planes);
}

/// Fills a loan with a frame's picture in the loan's pixel format and size: at most one conversion and one
/// scaling. `interpolation` is one of cv::InterpolationFlags. Throws Error{bad_argument} unless both are raw
/// video.
inline void convert(const Frame& frame, Loan& loan, int interpolation = cv::INTER_LINEAR) {
  using namespace opencv_detail;
  const Planes from = planes_of(video_of(frame.format()), frame.layout(), frame.data().data());
  Planes to = planes_of(video_of(loan.format()), loan.layout(), loan.data().data());
  const bool same_size = from.size == to.size;
  if (from.pixel == to.pixel && same_size) {
    for (std::size_t i = 0; i < kMaxPlanes && !from.mats[i].empty(); ++i) from.mats[i].copyTo(to.mats[i]);
    return;
  }
  if (from.pixel == to.pixel && !packed_422(from.pixel)) return scale_planes(from, to, interpolation);
  if (to.pixel == PixelFormat::BGR && same_size)
    return planes_to_bgr(from, cv::_OutputArray(std::as_const(to.mats[0])));
  cv::Mat bgr;
  planes_to_bgr(from, bgr);
  if (!same_size) {
    cv::Mat scaled;
    cv::resize(bgr, scaled, to.size, 0, 0, interpolation);
    bgr = scaled;
  }
  bgr_to_planes(bgr, to);
}

}  // namespace reel
