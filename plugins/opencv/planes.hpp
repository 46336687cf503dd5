// The planes of raw video as matrices, for filters that work on each where it lies, and the picture in grey.
// Called by filters from their stage thread. Pure functions.
#pragma once

#include <vector>

#include <opencv2/core.hpp>

#include <reel/stage/stage.hpp>

/// One plane, height x width x channels of opencv_type(). A sample of it stands for step.width x step.height
/// pixels. Packed 4:2:2 is one plane of 2 channels with an even width.
struct PlaneMat {
  cv::Mat mat;
  cv::Size step{1, 1};
};

/// REQUIRES: raw video. The frame's memory is read-only: these matrices are inputs of OpenCV calls, never
/// outputs. Throws reel::Error{unsupported} for strides that OpenCV cannot express.
[[nodiscard]] std::vector<PlaneMat> plane_mats(const reel::Frame& frame);
[[nodiscard]] std::vector<PlaneMat> plane_mats(reel::Loan& loan);

/// YUY2 or UYVY: Y and chroma of two pixels in one plane.
[[nodiscard]] bool is_packed_422(reel::PixelFormat pixel) noexcept;
/// Channel of luma in the plane of 2 channels: 0 in YUY2, 1 in UYVY.
[[nodiscard]] inline int luma_channel(reel::PixelFormat pixel) noexcept {
  return pixel == reel::PixelFormat::UYVY ? 1 : 0;
}

/// The picture in grey, 8-bit height x width; luma as it is where the format has it. May be the frame's own
/// read-only memory: an input of OpenCV calls only, valid while the frame is held.
[[nodiscard]] cv::Mat gray_of(const reel::Frame& frame);

/// A loan of the frame's format, size and layout with its picture in it. `output` follows the frame's format.
[[nodiscard]] reel::Loan copy_picture(reel::Output& output, const reel::Frame& frame);

/// Fills a loan of any pixel format with a picture in grey, 8-bit height x width, of the same size.
void fill_from_gray(const cv::Mat& gray, reel::Loan& loan);
