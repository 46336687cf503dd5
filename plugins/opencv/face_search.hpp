// Where in a picture to look for faces. The network sees 128 x 128 pixels, so a face below a tenth of the
// picture is lost in it: besides the whole picture, overlapping squares of it are looked at too, a few a
// frame in turn, and always the neighbourhoods of the faces found last. Used by opencv.faces from its stage
// thread. Single-thread.
#pragma once

#include "blaze_face.hpp"

#include <cstddef>
#include <functional>
#include <vector>

/// `part` of the picture as BGR of size `size`.
using PictureSource = std::function<cv::Mat(const cv::Rect& part, cv::Size size)>;

class FaceSearch {
 public:
  /// `looks`: squares looked at in one picture, besides the neighbourhoods of known faces; 0: all of them in
  /// every picture.
  FaceSearch(BlazeFace& detector, std::size_t looks, float threshold)
      : detector_(detector), looks_(looks), threshold_(threshold) {}

  /// Faces of at least the threshold in a picture of size `picture`, the best first, boxes in its pixels.
  [[nodiscard]] const std::vector<Face>& find(cv::Size picture, const PictureSource& source);
  /// What find() returned last.
  [[nodiscard]] const std::vector<Face>& last() const noexcept { return faces_; }

 private:
  void look(const cv::Rect& part, const PictureSource& source, std::vector<Face>& found);
  [[nodiscard]] cv::Rect around(const Face& face) const;

  BlazeFace& detector_;
  std::size_t looks_;
  float threshold_;
  cv::Size picture_;
  std::vector<cv::Rect> places_;  // the whole picture, then the squares
  std::size_t next_ = 0;          // of places_
  std::vector<Face> faces_;
};

/// The whole picture, then squares of two thirds of its shorter side that overlap by half: a face of up to a
/// third of that side lies whole in one of them.
[[nodiscard]] std::vector<cv::Rect> search_places(cv::Size picture);
