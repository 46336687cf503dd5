// The small YAML file beside a model that says what opencv.dnn needs to know of it: what it wants to see and
// what its outputs mean. README.md explains every key. Read once, from the stage thread. Pure values.
#pragma once

#include <array>
#include <string>
#include <vector>

enum class ModelColours { rgb, bgr, gray };
enum class ModelFit { stretch, letterbox, crop };
enum class Activation { none, sigmoid, softmax };
enum class BoxForm { xyxy, xywh, cxcywh, yxyx };  // corners, corner and size, centre and size

struct ModelInput {
  int width = 0, height = 0;  // pixels
  bool channels_last = false;
  ModelColours colours = ModelColours::rgb;
  std::array<double, 3> mean{0, 0, 0};   // subtracted from values of 0 to 255
  std::array<double, 3> scale{1, 1, 1};  // then multiplied
  ModelFit fit = ModelFit::stretch;
  double pad = 0;  // 0 to 255: around a letterboxed picture
};

/// Outputs are names of the network's; empty where it has only one.
struct ClassOutput {
  std::vector<std::string> scores{};
  Activation activation = Activation::none;
  int top = 1;  // labels given of one picture
};

struct BoxOutput {
  std::vector<std::string> boxes{};   // rows of boxes, one output below the other
  std::vector<std::string> scores{};  // as many rows of scores; none: in the rows of boxes
  bool transposed = false;            // a row is a column of the output
  Activation activation = Activation::none;
  BoxForm form = BoxForm::cxcywh;
  bool pixels = true;               // of the input; false: shares of it
  int box_column = 0;               // where in a row the box begins
  int score_column = 4;             // where the scores begin (0 where they have rows of their own)
  int classes = 0;                  // how many scores; 0: all that follow
  int objectness_column = -1;       // multiplies every score; -1: there is none
  int class_column = -1;            // holds the class's number, and there is one score; -1: there is none
  std::vector<int> anchor_cells{};  // of each grid, a side; boxes are relative to the centres of its cells
  std::vector<int> anchors_per_cell{};
  double overlap = 0.45;  // of two boxes of one class, intersection over union, above which the better stays
};

struct ModelDescription {
  std::string model;  // path of the .onnx
  ModelInput input;
  bool classifies = false;  // classes is meant, else boxes
  ClassOutput classes;
  BoxOutput boxes;
  double threshold = 0.5;
  std::vector<std::string> labels{};  // by the class's number; those without are called by it

  [[nodiscard]] std::string label(int number) const;
};

/// Throws reel::Error{not_found | bad_config} naming the file, the line, the key, its value and what is
/// right.
[[nodiscard]] ModelDescription read_model_description(const std::string& path);
