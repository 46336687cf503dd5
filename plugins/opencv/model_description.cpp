#include "model_description.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <utility>

#include <yaml-cpp/yaml.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>

namespace fs = std::filesystem;

namespace {

constexpr int kMostPixels = 4096;  // a side of a model's input
constexpr std::size_t kMostLabels = 100'000;

// One map of the file, whose keys are all known.
class Section {
 public:
  Section(const std::string& file, const YAML::Node& node, std::string name,
          std::initializer_list<const char*> keys)
      : file_(file), node_(node), name_(std::move(name)) {
    if (!node_.IsMap()) refuse(node_, "must be a map with the keys " + join(keys));
    for (const auto& entry : node_) {
      const std::string key = entry.first.as<std::string>();
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
      const auto near = reel::nearest_name(key, std::vector<std::string>(keys.begin(), keys.end()));
      refuse(entry.first, "has no key \"" + key + "\"" + (near ? ", did you mean \"" + *near + "\"?" : "") +
                              ": its keys are " + join(keys));
    }
  }

  [[noreturn]] void refuse(const YAML::Node& at, const std::string& what) const {
    const int line = at.Mark().is_null() ? node_.Mark().line : at.Mark().line;
    throw reel::Error(reel::ErrorCode::bad_config, name_ + " " + what,
                      file_ + ":" + std::to_string(line + 1));
  }
  [[nodiscard]] YAML::Node find(const char* key) const { return node_[key]; }
  [[nodiscard]] YAML::Node need(const char* key) const {
    if (!node_[key]) refuse(node_, std::string("lacks the key \"") + key + "\"");
    return node_[key];
  }
  template <typename Value>
  [[nodiscard]] Value value(const YAML::Node& node, const std::string& key, const char* kind) const {
    try {
      return node.as<Value>();
    } catch (const YAML::Exception&) {
      refuse(node, "has under \"" + key + "\" what is no " + kind);
    }
  }
  [[nodiscard]] int integer(const char* key, int least, int most, int otherwise) const {
    const YAML::Node node = find(key);
    if (!node) return otherwise;
    const int number = value<int>(node, key, "whole number");
    if (number < least || number > most)
      refuse(node, std::string("has ") + key + ": " + std::to_string(number) + ", which is outside " +
                       std::to_string(least) + " to " + std::to_string(most));
    return number;
  }
  [[nodiscard]] double number(const char* key, double least, double most, double otherwise) const {
    const YAML::Node node = find(key);
    if (!node) return otherwise;
    const auto number = value<double>(node, key, "number");
    if (!(number >= least && number <= most))
      refuse(node, std::string("has ") + key + ": " + node.Scalar() + ", which is outside " +
                       std::to_string(least) + " to " + std::to_string(most));
    return number;
  }
  [[nodiscard]] bool boolean(const char* key, bool otherwise) const {
    const YAML::Node node = find(key);
    return node ? value<bool>(node, key, "true or false") : otherwise;
  }
  template <typename Choice>
  [[nodiscard]] Choice choice(const char* key, const std::map<std::string, Choice>& choices,
                              Choice otherwise) const {
    const YAML::Node node = find(key);
    if (!node) return otherwise;
    const auto text = value<std::string>(node, key, "text");
    if (const auto found = choices.find(text); found != choices.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& [name, meaning] : choices) names.push_back(name);
    refuse(node,
           std::string("has ") + key + ": \"" + text + "\", which is not one of " + reel::join_or(names));
  }
  // One value or several.
  template <typename Value>
  [[nodiscard]] std::vector<Value> list(const char* key, const char* kind) const {
    const YAML::Node node = find(key);
    std::vector<Value> values;
    if (!node) return values;
    if (!node.IsSequence()) return {value<Value>(node, key, kind)};
    for (const auto& item : node) values.push_back(value<Value>(item, key, kind));
    return values;
  }
  [[nodiscard]] std::array<double, 3> three(const char* key, double otherwise) const {
    const auto numbers = list<double>(key, "number");
    if (!std::all_of(numbers.begin(), numbers.end(), [](double number) { return std::isfinite(number); }))
      refuse(find(key), std::string("has under \"") + key + "\" what is no finite number");
    if (numbers.empty()) return {otherwise, otherwise, otherwise};
    if (numbers.size() == 1) return {numbers[0], numbers[0], numbers[0]};
    if (numbers.size() != 3) refuse(find(key), std::string("has ") + key + " of another number than 1 or 3");
    return {numbers[0], numbers[1], numbers[2]};
  }

 private:
  static std::string join(std::initializer_list<const char*> keys) {
    return reel::join_or(std::vector<std::string>(keys.begin(), keys.end()));
  }
  const std::string& file_;
  YAML::Node node_;
  std::string name_;
};

const std::map<std::string, Activation> kActivations{
    {"none", Activation::none}, {"sigmoid", Activation::sigmoid}, {"softmax", Activation::softmax}};

ModelInput read_input(const std::string& path, const YAML::Node& node) {
  const Section section(path, node, "the input",
                        {"width", "height", "layout", "colours", "mean", "scale", "fit", "pad"});
  (void)section.need("width");
  (void)section.need("height");
  ModelInput input;
  input.width = section.integer("width", 1, kMostPixels, 0);
  input.height = section.integer("height", 1, kMostPixels, 0);
  input.channels_last = section.choice<bool>("layout", {{"NCHW", false}, {"NHWC", true}}, false);
  input.colours = section.choice<ModelColours>(
      "colours", {{"RGB", ModelColours::rgb}, {"BGR", ModelColours::bgr}, {"GRAY", ModelColours::gray}},
      ModelColours::rgb);
  input.mean = section.three("mean", 0);
  input.scale = section.three("scale", 1);
  input.fit = section.choice<ModelFit>(
      "fit", {{"stretch", ModelFit::stretch}, {"letterbox", ModelFit::letterbox}, {"crop", ModelFit::crop}},
      ModelFit::stretch);
  input.pad = section.number("pad", 0, 255, 0);
  return input;
}

ClassOutput read_classes(const std::string& path, const YAML::Node& node) {
  const Section section(path, node, "the output of classes", {"kind", "scores", "activation", "top"});
  ClassOutput classes;
  classes.scores = section.list<std::string>("scores", "name of an output");
  classes.activation = section.choice("activation", kActivations, Activation::none);
  classes.top = section.integer("top", 1, 100, 1);
  return classes;
}

void read_anchors(const std::string& path, const YAML::Node& node, BoxOutput& boxes) {
  if (!node) return;
  const Section section(path, node, "anchors", {"cells", "per_cell"});
  boxes.anchor_cells = section.list<int>("cells", "whole number");
  boxes.anchors_per_cell = section.list<int>("per_cell", "whole number");
  const auto fine = [](int number) { return number >= 1 && number <= 1024; };
  if (boxes.anchor_cells.empty() || boxes.anchor_cells.size() != boxes.anchors_per_cell.size() ||
      !std::all_of(boxes.anchor_cells.begin(), boxes.anchor_cells.end(), fine) ||
      !std::all_of(boxes.anchors_per_cell.begin(), boxes.anchors_per_cell.end(), fine))
    section.refuse(node, "needs `cells` and `per_cell`: a number from 1 to 1024 for each grid");
}

BoxOutput read_boxes(const std::string& path, const YAML::Node& node) {
  const Section section(
      path, node, "the output of boxes",
      {"kind", "boxes", "scores", "transposed", "activation", "form", "units", "box_column", "score_column",
       "classes", "objectness_column", "class_column", "anchors", "overlap"});
  constexpr int kMostColumns = 100'000;
  BoxOutput boxes;
  boxes.boxes = section.list<std::string>("boxes", "name of an output");
  boxes.scores = section.list<std::string>("scores", "name of an output");
  boxes.transposed = section.boolean("transposed", false);
  boxes.activation = section.choice("activation", kActivations, Activation::none);
  boxes.form = section.choice<BoxForm>("form",
                                       {{"xyxy", BoxForm::xyxy},
                                        {"xywh", BoxForm::xywh},
                                        {"cxcywh", BoxForm::cxcywh},
                                        {"yxyx", BoxForm::yxyx}},
                                       BoxForm::cxcywh);
  boxes.pixels = section.choice<bool>("units", {{"pixels", true}, {"shares", false}}, true);
  boxes.box_column = section.integer("box_column", 0, kMostColumns, 0);
  boxes.score_column = section.integer("score_column", 0, kMostColumns, boxes.scores.empty() ? 4 : 0);
  boxes.classes = section.integer("classes", 0, kMostColumns, 0);
  boxes.objectness_column = section.integer("objectness_column", -1, kMostColumns, -1);
  boxes.class_column = section.integer("class_column", -1, kMostColumns, -1);
  boxes.overlap = section.number("overlap", 0, 1, 0.45);
  read_anchors(path, section.find("anchors"), boxes);
  return boxes;
}

std::vector<std::string> read_labels(const Section& file, const fs::path& directory) {
  const YAML::Node node = file.find("labels");
  if (!node || node.IsSequence()) return file.list<std::string>("labels", "text");
  const fs::path path = directory / file.value<std::string>(node, "labels", "list or file");
  std::ifstream lines(path);
  if (!lines || fs::is_directory(path))
    file.refuse(node, "names the file of labels " + path.string() + ", which cannot be read");
  std::vector<std::string> labels;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (labels.size() == kMostLabels)
      file.refuse(node, "names a file of more than " + std::to_string(kMostLabels) + " labels");
    labels.push_back(line);
  }
  return labels;
}

YAML::Node load(const std::string& path) {
  try {
    return YAML::LoadFile(path);
  } catch (const YAML::BadFile&) {
    throw reel::Error(reel::ErrorCode::not_found,
                      "no description of a model \"" + path +
                          "\": set the option `model` to the YAML file that describes it");
  } catch (const YAML::Exception& problem) {
    throw reel::Error(reel::ErrorCode::bad_config, "is no YAML: " + problem.msg,
                      path + ":" + std::to_string(problem.mark.line + 1));
  }
}

}  // namespace

std::string ModelDescription::label(int number) const {
  const auto index = static_cast<std::size_t>(number);
  return number >= 0 && index < labels.size() ? labels[index] : std::to_string(number);
}

ModelDescription read_model_description(const std::string& path) {
  const YAML::Node root = load(path);
  const Section file(path, root, "the description", {"model", "input", "output", "threshold", "labels"});
  const fs::path directory = fs::path(path).parent_path();
  ModelDescription description;
  description.model = (directory / file.value<std::string>(file.need("model"), "model", "path")).string();
  description.input = read_input(path, file.need("input"));
  const YAML::Node output = file.need("output");
  if (!output.IsMap() || !output["kind"]) file.refuse(output, "lacks the output's `kind`: classes or boxes");
  const auto kind = file.value<std::string>(output["kind"], "kind", "text");
  if (kind != "classes" && kind != "boxes")
    file.refuse(output["kind"], "has an output of the kind \"" + kind + "\", which is not classes or boxes");
  description.classifies = kind == "classes";
  if (description.classifies)
    description.classes = read_classes(path, output);
  else
    description.boxes = read_boxes(path, output);
  description.threshold = file.number("threshold", 0, 1, 0.5);
  description.labels = read_labels(file, directory);
  return description;
}
