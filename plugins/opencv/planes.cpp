#include "planes.hpp"

#include <algorithm>
#include <utility>

#include <opencv2/imgproc.hpp>

#include <reel/channel/opencv_convert.hpp>

namespace {

// Of a plane other than the first.
cv::Size chroma_step(reel::PixelFormat pixel) {
  const bool halved = pixel == reel::PixelFormat::I420 || pixel == reel::PixelFormat::NV12 ||
                      pixel == reel::PixelFormat::NV21;
  return halved ? cv::Size(2, 2) : cv::Size(1, 1);
}

// Of a frame or a loan. OpenCV has no read-only matrix.
template <typename Picture>
std::vector<PlaneMat> mats_of(Picture& picture) {
  const reel::VideoFormat& video = *picture.format().video();
  std::vector<PlaneMat> mats;
  for (std::uint32_t i = 0; i < picture.layout().plane_count; ++i) {
    const auto plane = picture.plane(i);
    mats.push_back({reel::plane_mat(reel::opencv_type(video.pixel, i), plane.rows, plane.row_bytes,
                                    const_cast<std::byte*>(plane.data), plane.stride_bytes),
                    i == 0 ? cv::Size(1, 1) : chroma_step(video.pixel)});
  }
  return mats;
}

}  // namespace

std::vector<PlaneMat> plane_mats(const reel::Frame& frame) {
  return mats_of(frame);
}
std::vector<PlaneMat> plane_mats(reel::Loan& loan) {
  return mats_of(loan);
}

bool is_packed_422(reel::PixelFormat pixel) noexcept {
  return pixel == reel::PixelFormat::YUY2 || pixel == reel::PixelFormat::UYVY;
}

cv::Mat gray_of(const reel::Frame& frame) {
  using reel::PixelFormat;
  const reel::VideoFormat& video = *frame.format().video();
  const cv::Mat first = plane_mats(frame)[0].mat;
  cv::Mat gray;
  switch (video.pixel) {
    case PixelFormat::RGB: cv::cvtColor(first, gray, cv::COLOR_RGB2GRAY); return gray;
    case PixelFormat::BGR: cv::cvtColor(first, gray, cv::COLOR_BGR2GRAY); return gray;
    case PixelFormat::RGBx:
    case PixelFormat::RGBA: cv::cvtColor(first, gray, cv::COLOR_RGBA2GRAY); return gray;
    case PixelFormat::BGRx:
    case PixelFormat::BGRA: cv::cvtColor(first, gray, cv::COLOR_BGRA2GRAY); return gray;
    case PixelFormat::GRAY16_LE: first.convertTo(gray, CV_8U, 1.0 / 257); return gray;
    case PixelFormat::YUY2:
    case PixelFormat::UYVY:
      cv::extractChannel(first, gray, luma_channel(video.pixel));
      return gray(cv::Rect(0, 0, static_cast<int>(video.width), static_cast<int>(video.height)));
    case PixelFormat::I420:
    case PixelFormat::NV12:
    case PixelFormat::NV21:
    case PixelFormat::Y444:
    case PixelFormat::GRAY8: break;
  }
  return first;
}

reel::Loan copy_picture(reel::Output& output, const reel::Frame& frame) {
  reel::Loan loan = output.acquire(std::max<std::size_t>(frame.data().size(), frame.layout().bytes));
  (void)loan.set_layout(frame.layout());
  (void)loan.copy_from(frame.data());  // acquire() has made room for it
  return loan;
}

void fill_from_gray(const cv::Mat& gray, reel::Loan& loan) {
  if (loan.format().video()->pixel == reel::PixelFormat::GRAY8) {
    gray.copyTo(plane_mats(loan)[0].mat);
    return;
  }
  cv::Mat bgr;
  cv::cvtColor(gray, bgr, cv::COLOR_GRAY2BGR);
  reel::from_bgr(bgr, loan);
}
