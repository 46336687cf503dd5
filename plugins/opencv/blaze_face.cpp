#include "blaze_face.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <opencv2/imgproc.hpp>

#include <reel/base/error.hpp>

namespace {

// The model's shape: two grids, each cell with several anchors at its centre (MediaPipe's
// face_detection_short_range graph).
struct Grid {
  int cells;  // a side
  int anchors_per_cell;
  const char* scores;  // names of the network's outputs
  const char* boxes;
};
constexpr Grid kGrids[] = {{16, 2, "Identity:0", "Identity_2:0"}, {8, 6, "Identity_1:0", "Identity_3:0"}};
constexpr int kBoxValues = 16;  // x, y, width, height, then six key points
constexpr float kMergeOverlap = 0.3F;
constexpr float kScoreClip = 100.0F;

float sigmoid(float value) {
  return 1.0F / (1.0F + std::exp(-std::clamp(value, -kScoreClip, kScoreClip)));
}

float intersection_over_union(const cv::Rect2f& a, const cv::Rect2f& b) {
  const float both = (a & b).area();
  const float either = a.area() + b.area() - both;
  return either > 0 ? both / either : 0;
}

}  // namespace

BlazeFace::BlazeFace(const std::string& model_path) {
  if (!std::filesystem::exists(model_path))
    throw reel::Error(reel::ErrorCode::not_found,
                      "no face model \"" + model_path +
                          "\": set the option `model` to the BlazeFace .onnx file, or "
                          "$REEL_MODEL_PATH to the directory that holds it");
  try {
    net_ = cv::dnn::readNetFromONNX(model_path);
    net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    for (const Grid& grid : kGrids) {
      output_names_.emplace_back(grid.scores);
      output_names_.emplace_back(grid.boxes);
      for (int cell = 0; cell < grid.cells * grid.cells; ++cell)
        for (int anchor = 0; anchor < grid.anchors_per_cell; ++anchor)
          anchors_.emplace_back(
              (static_cast<float>(cell % grid.cells) + 0.5F) / static_cast<float>(grid.cells),
              (static_cast<float>(cell / grid.cells) + 0.5F) / static_cast<float>(grid.cells));
    }
    const int shape[] = {1, kInputSize, kInputSize, 3};
    input_.create(4, shape, CV_32F);
    input_.setTo(0);
    std::vector<cv::Mat> outputs;
    net_.setInput(input_);
    net_.forward(outputs, output_names_);
    (void)candidates(outputs, 1.0F);
  } catch (const cv::Exception& problem) {
    throw reel::Error(
        reel::ErrorCode::bad_config,
        "\"" + model_path + "\" is not the BlazeFace 128 x 128 model in ONNX form: " + problem.err);
  }
}

cv::Size BlazeFace::fitted(cv::Size picture) {
  const double scale = static_cast<double>(kInputSize) / std::max(picture.width, picture.height);
  return {std::clamp(cvRound(picture.width * scale), 1, kInputSize),
          std::clamp(cvRound(picture.height * scale), 1, kInputSize)};
}

std::vector<Face> BlazeFace::candidates(const std::vector<cv::Mat>& outputs, float threshold) const {
  std::vector<Face> faces;
  std::size_t first_anchor = 0;
  for (std::size_t grid = 0; grid < std::size(kGrids); ++grid) {
    const std::size_t count =
        static_cast<std::size_t>(kGrids[grid].cells) * kGrids[grid].cells * kGrids[grid].anchors_per_cell;
    const cv::Mat& scores = outputs[2 * grid];
    const cv::Mat& boxes = outputs[2 * grid + 1];
    if (scores.total() != count || boxes.total() != count * kBoxValues)
      CV_Error(cv::Error::StsUnmatchedSizes, "its outputs are not 512 and 384 anchors");
    for (std::size_t i = 0; i < count; ++i) {
      const float score = sigmoid(scores.ptr<float>()[i]);
      if (!(score >= threshold)) continue;
      const float* box = boxes.ptr<float>() + i * kBoxValues;
      const cv::Point2f centre = anchors_[first_anchor + i] + cv::Point2f(box[0], box[1]) / kInputSize;
      const cv::Size2f size(box[2] / kInputSize, box[3] / kInputSize);
      faces.push_back(
          {cv::Rect2f(centre.x - size.width / 2, centre.y - size.height / 2, size.width, size.height),
           score});
    }
    first_anchor += count;
  }
  return faces;
}

std::vector<Face> BlazeFace::find(const cv::Mat& bgr, cv::Size picture, float threshold) {
  // Letterbox: the picture in the middle, the rest black (-1), as the model was trained.
  const cv::Point corner((kInputSize - bgr.cols) / 2, (kInputSize - bgr.rows) / 2);
  cv::Mat square(kInputSize, kInputSize, CV_8UC3, cv::Scalar::all(0));
  cv::cvtColor(bgr, square(cv::Rect(corner, bgr.size())), cv::COLOR_BGR2RGB);
  cv::Mat pixels(kInputSize, kInputSize, CV_32FC3, input_.ptr());
  square.convertTo(pixels, CV_32F, 1 / 127.5, -1);

  net_.setInput(input_);
  std::vector<cv::Mat> outputs;
  net_.forward(outputs, output_names_);

  std::vector<Face> faces = merge_overlapping(candidates(outputs, threshold), kMergeOverlap);
  const float scale_x = static_cast<float>(picture.width) / static_cast<float>(bgr.cols);
  const float scale_y = static_cast<float>(picture.height) / static_cast<float>(bgr.rows);
  const cv::Rect2f whole(0, 0, static_cast<float>(picture.width), static_cast<float>(picture.height));
  for (Face& face : faces) {
    const cv::Rect2f in_picture((face.box.x * kInputSize - static_cast<float>(corner.x)) * scale_x,
                                (face.box.y * kInputSize - static_cast<float>(corner.y)) * scale_y,
                                face.box.width * kInputSize * scale_x,
                                face.box.height * kInputSize * scale_y);
    face.box = in_picture & whole;
  }
  std::erase_if(faces, [](const Face& face) { return face.box.empty(); });
  return faces;
}

std::vector<Face> merge_overlapping(std::vector<Face> faces, float overlap) {
  std::stable_sort(faces.begin(), faces.end(),
                   [](const Face& a, const Face& b) { return a.score > b.score; });
  std::vector<Face> merged;
  while (!faces.empty()) {
    const Face best = faces.front();
    const auto rest = std::stable_partition(faces.begin(), faces.end(), [&](const Face& face) {
      return intersection_over_union(face.box, best.box) > overlap;
    });
    cv::Vec4f sum;
    float weight = 0;
    for (auto face = faces.begin(); face != rest; ++face) {
      sum += face->score * cv::Vec4f(face->box.x, face->box.y, face->box.width, face->box.height);
      weight += face->score;
    }
    // A box without an area does not even overlap itself: it is dropped here, or this loop would not end.
    if (rest == faces.begin()) {
      faces.erase(faces.begin());
      continue;
    }
    sum /= weight;
    merged.push_back({cv::Rect2f(sum[0], sum[1], sum[2], sum[3]), best.score});
    faces.erase(faces.begin(), rest);
  }
  return merged;
}
