// OpenCV on frames without a copy. The one public header that includes OpenCV: whoever includes it links
// opencv_core and opencv_imgproc. Single-thread, like the frames themselves.
//
// A slot read from a stream is mapped read-only, so an in-place OpenCV call on it would crash. The types make
// that impossible: a ReadView can only be an input of OpenCV calls; to draw on a frame, take
// MutableFrame::mutable_mat(), which copies at the first use.
#pragma once

#include <utility>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <reel/base/error.hpp>
#include <reel/channel/frame.hpp>
#include <reel/channel/frame_writer.hpp>

namespace reel {

/// OpenCV's element type of a packed pixel format or of one plane: CV_8UC3 for RGB, CV_8UC1 for the luma of
/// I420, CV_8UC2 for the chroma of NV12 and for YUY2 (as cv::cvtColor wants them), CV_16UC1 for GRAY16_LE.
[[nodiscard]] inline int opencv_type(PixelFormat pixel, std::uint32_t plane = 0) {
  switch (pixel) {
    case PixelFormat::RGB:
    case PixelFormat::BGR: return CV_8UC3;
    case PixelFormat::RGBx:
    case PixelFormat::BGRx:
    case PixelFormat::RGBA:
    case PixelFormat::BGRA: return CV_8UC4;
    case PixelFormat::YUY2:
    case PixelFormat::UYVY: return CV_8UC2;
    case PixelFormat::NV12:
    case PixelFormat::NV21: return plane == 0 ? CV_8UC1 : CV_8UC2;
    case PixelFormat::GRAY16_LE: return CV_16UC1;
    case PixelFormat::I420:
    case PixelFormat::Y444:
    case PixelFormat::GRAY8: return CV_8UC1;
  }
  return CV_8UC1;
}

/// A matrix over one plane: `rows` rows of `row_bytes`, `stride_bytes` apart; no copy.
/// Throws Error{unsupported} for a stride that OpenCV cannot express (16-bit samples at odd distances).
[[nodiscard]] inline cv::Mat plane_mat(int type, std::uint32_t rows, std::uint32_t row_bytes, std::byte* data,
                                       std::uint32_t stride_bytes) {
  if (stride_bytes % CV_ELEM_SIZE1(type) != 0)
    throw Error(ErrorCode::unsupported, "a plane with a stride of " + std::to_string(stride_bytes) +
                                            " bytes: OpenCV needs a multiple of " +
                                            std::to_string(CV_ELEM_SIZE1(type)));
  return cv::Mat(static_cast<int>(rows), static_cast<int>(row_bytes / CV_ELEM_SIZE(type)), type, data,
                 stride_bytes);
}

/// A picture that can be read and never written: an OpenCV input (cv::InputArray), not an output.
class ReadView {
 public:
  ReadView() = default;

  /// For every OpenCV call that reads. Valid while this view and its frame live.
  operator cv::_InputArray() const { return cv::_InputArray(mat_); }  // NOLINT: meant to be implicit

  [[nodiscard]] int rows() const { return mat_.rows; }
  [[nodiscard]] int cols() const { return mat_.cols; }
  [[nodiscard]] int type() const { return mat_.type(); }
  [[nodiscard]] cv::Size size() const { return mat_.size(); }
  [[nodiscard]] bool empty() const { return mat_.empty(); }
  template <typename Pixel>
  [[nodiscard]] const Pixel& at(int row, int col) const {
    return mat_.at<Pixel>(row, col);
  }
  template <typename Value = unsigned char>
  [[nodiscard]] const Value* row(int index) const {
    return mat_.ptr<Value>(index);
  }
  /// A part of the picture, without a copy.
  [[nodiscard]] ReadView operator()(const cv::Rect& part) const { return ReadView(mat_(part)); }
  /// A private, writable copy.
  [[nodiscard]] cv::Mat clone() const { return mat_.clone(); }
  void copy_to(cv::OutputArray out) const { mat_.copyTo(out); }

 private:
  friend ReadView read_view(const Frame& frame, std::uint32_t plane);
  friend class MutableFrame;
  explicit ReadView(cv::Mat mat) : mat_(std::move(mat)) {}
  cv::Mat mat_;
};

/// Plane `plane` of a raw video frame; height x width x channels by opencv_type(), with the frame's own
/// stride. Throws Error{bad_argument} when the frame is no raw video or has no such plane.
[[nodiscard]] inline ReadView read_view(const Frame& frame, std::uint32_t plane = 0) {
  const VideoFormat* video = frame.format().video();
  if (video == nullptr || plane >= frame.plane_count())
    throw Error(ErrorCode::bad_argument, "no plane " + std::to_string(plane) + " in a frame of \"" +
                                             frame.format().caps() + "\": OpenCV views are of raw video");
  const ConstPlaneView view = frame.plane(plane);
  const int type = opencv_type(video->pixel, plane);
  // OpenCV has no read-only matrix; ReadView never lets this one out.
  return ReadView(
      plane_mat(type, view.rows, view.row_bytes, const_cast<std::byte*>(view.data), view.stride_bytes));
}

/// A frame that can be drawn on: reads are of the slot until the first mat(), which copies.
class MutableFrame {
 public:
  explicit MutableFrame(const Frame& frame, std::uint32_t plane = 0) : view_(read_view(frame, plane)) {}

  [[nodiscard]] const ReadView& view() const { return view_; }
  /// The private copy, made at the first call; view() is of it from then on.
  [[nodiscard]] cv::Mat& mutable_mat() {
    if (copy_.empty()) {
      copy_ = view_.clone();
      view_ = ReadView(copy_);
    }
    return copy_;
  }

 private:
  ReadView view_;
  cv::Mat copy_;
};

/// A plane of a loan, written in place. As an OpenCV output it has a fixed size and type: a call that would
/// need another one throws cv::Exception instead of silently writing elsewhere.
class WriteView {
 public:
  explicit WriteView(cv::Mat mat) : mat_(std::move(mat)) {}
  operator cv::_OutputArray() const { return cv::_OutputArray(mat_); }            // NOLINT
  operator cv::_InputOutputArray() const { return cv::_InputOutputArray(mat_); }  // NOLINT
  /// For element access and drawing. Assigning to it does not reach the loan.
  [[nodiscard]] cv::Mat& mat() { return mat_; }

 private:
  cv::Mat mat_;
};

/// Throws Error{bad_argument} when the loan is not of raw video or has no such plane.
[[nodiscard]] inline WriteView write_view(Loan& loan, std::uint32_t plane = 0) {
  const VideoFormat* video = loan.format().video();
  if (video == nullptr || plane >= loan.layout().plane_count)
    throw Error(ErrorCode::bad_argument, "no plane " + std::to_string(plane) + " in a loan of \"" +
                                             loan.format().caps() + "\": OpenCV views are of raw video");
  const PlaneView view = loan.plane(plane);
  const int type = opencv_type(video->pixel, plane);
  return WriteView(plane_mat(type, view.rows, view.row_bytes, view.data, view.stride_bytes));
}

}  // namespace reel
