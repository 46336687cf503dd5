#include "face_search.hpp"

#include <algorithm>

namespace {

constexpr float kMergeOverlap = 0.3F;   // intersection over union
constexpr float kMostlyInside = 0.6F;   // share of the smaller box
constexpr float kNeighbourhood = 3.0F;  // side of the square around a known face, in sides of its box
constexpr float kEdgePixels = 2.0F;     // a box this near to a square's edge is cut off by it

/// Corners of `length`-long pieces that cover `whole` with an overlap of at least half.
std::vector<int> corners(int whole, int length) {
  const int steps = (2 * (whole - length) + length - 1) / length;
  std::vector<int> result{0};
  for (int step = 1; step <= steps; ++step) result.push_back((whole - length) * step / steps);
  return result;
}

bool cut_off(const cv::Rect2f& box, const cv::Rect& part, cv::Size picture) {
  const auto near = [](float a, int b) { return std::abs(a - static_cast<float>(b)) <= kEdgePixels; };
  return (part.x > 0 && near(box.x, part.x)) || (part.y > 0 && near(box.y, part.y)) ||
         (part.br().x < picture.width && near(box.br().x, part.br().x)) ||
         (part.br().y < picture.height && near(box.br().y, part.br().y));
}

/// Drops boxes that lie mostly inside a better one: a part of a face that a smaller square showed.
void drop_parts(std::vector<Face>& faces) {
  std::vector<Face> kept;
  for (const Face& face : faces) {
    const bool part = std::any_of(kept.begin(), kept.end(), [&](const Face& better) {
      return (face.box & better.box).area() > kMostlyInside * std::min(face.box.area(), better.box.area());
    });
    if (!part) kept.push_back(face);
  }
  faces = std::move(kept);
}

}  // namespace

std::vector<cv::Rect> search_places(cv::Size picture) {
  std::vector<cv::Rect> places{cv::Rect({0, 0}, picture)};
  const int side = std::min(picture.width, picture.height) * 2 / 3;
  if (side <= BlazeFace::kInputSize) return places;
  for (const int y : corners(picture.height, side))
    for (const int x : corners(picture.width, side)) places.emplace_back(x, y, side, side);
  return places;
}

const std::vector<Face>& FaceSearch::find(cv::Size picture, const PictureSource& source) {
  if (picture != picture_) {
    picture_ = picture;
    places_ = search_places(picture);
    next_ = 0;
    faces_.clear();
  }
  std::vector<Face> found;
  for (const Face& face : faces_) look(around(face), source, found);
  const std::size_t looks = looks_ == 0 ? places_.size() : std::min(looks_, places_.size());
  for (std::size_t i = 0; i < looks; ++i) {
    look(places_[next_], source, found);
    next_ = (next_ + 1) % places_.size();
  }
  faces_ = merge_overlapping(std::move(found), kMergeOverlap);
  drop_parts(faces_);
  return faces_;
}

void FaceSearch::look(const cv::Rect& part, const PictureSource& source, std::vector<Face>& found) {
  const cv::Mat bgr = source(part, BlazeFace::fitted(part.size()));
  for (Face face : detector_.find(bgr, part.size(), threshold_)) {
    face.box += cv::Point2f(part.tl());
    if (!cut_off(face.box, part, picture_)) found.push_back(face);
  }
}

// A square where it fits, within the picture.
cv::Rect FaceSearch::around(const Face& face) const {
  const int side = std::min(
      {cvRound(kNeighbourhood * std::max(face.box.width, face.box.height)), picture_.width, picture_.height});
  const cv::Point centre(face.box.x + face.box.width / 2, face.box.y + face.box.height / 2);
  const cv::Point corner(std::clamp(centre.x - side / 2, 0, picture_.width - side),
                         std::clamp(centre.y - side / 2, 0, picture_.height - side));
  return {corner, cv::Size(std::max(side, 1), std::max(side, 1))};
}
