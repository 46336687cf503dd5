// Every sample of a filter in configs/filters/ is checked, and run until it shows its picture.
#include "running_pipeline.hpp"

#include <algorithm>
#include <filesystem>
#include <regex>

#include <gmock/gmock.h>
#include <opencv2/imgcodecs.hpp>
#include <reel_test/needs.hpp>
#include <reel_test/run_reel.hpp>

namespace reel_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kVtest = "/usr/share/doc/opencv-doc/examples/data/vtest.avi";

std::vector<std::string> samples() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(REEL_CONFIGS "/filters"))
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

/// What was counted at the first input of a stage.
nlohmann::json input_of(const nlohmann::json& summary, const std::string& stage) {
  for (const auto& one : summary["stages"])
    if (one["name"] == stage) return one["inputs"][0];
  ADD_FAILURE() << "no stage " << stage;
  return nullptr;
}

class FilterSample : public ::testing::TestWithParam<std::string> {
 protected:
  TempRuntimeDir runtime_;
  ScratchDir scratch_;
};

TEST_P(FilterSample, RunsToItsEndAndShowsWhatItDoes) {
  const std::string& name = GetParam();
  REEL_NEEDS(name != "people" || fs::exists(kVtest) ? ""
                                                    : std::string("no ") + kVtest + " (package opencv-doc)");
  const std::string file = std::string(REEL_CONFIGS "/filters/") + name + ".yaml";
  const ChildProcess::Environment environment{{"OUT", scratch_.path()}, {"REALTIME", "false"}};
  ChildProcess check = ChildProcess::program(reel_command(), {"check", file}, environment);
  ASSERT_TRUE(check.wait().ok()) << check.errors();
  EXPECT_THAT(check.output(), HasSubstr("fine"));

  const std::string summary = scratch_.file("summary.json");
  ChildProcess reel =
      ChildProcess::program(reel_command(), {"run", file, "--summary-json", summary}, environment);
  ASSERT_TRUE(reel.wait().ok()) << reel.errors();
  const auto json = nlohmann::json::parse(scratch_.read("summary.json"));
  bool shows = false, checks = false;
  for (const auto& stage : json["stages"]) {
    EXPECT_EQ(stage["state"], "finished") << stage;
    shows = shows || stage["name"] == "picture";
    checks = checks || stage["name"] == "check";
    for (const auto& input : stage["inputs"]) {
      EXPECT_EQ(input["verified"], input["frames"]) << stage;
      EXPECT_EQ(input["corrupted"], 0) << stage;
    }
  }
  EXPECT_TRUE(shows || checks) << "a sample has a stage `picture` or `check`";
  if (shows) {
    const std::string picture = scratch_.file(name + ".png");
    ASSERT_TRUE(fs::exists(picture)) << reel.errors();
    const cv::Mat shown = cv::imread(picture);
    ASSERT_FALSE(shown.empty());
    cv::Scalar mean, deviation;
    cv::meanStdDev(shown, mean, deviation);
    EXPECT_GT(deviation[0] + deviation[1] + deviation[2], 3) << "the picture is all of one colour";
    fs::create_directories(REEL_TEST_PICTURES);
    fs::copy_file(picture, REEL_TEST_PICTURES "/filter-" + name + ".png",
                  fs::copy_options::overwrite_existing);
  }
  if (checks) {
    EXPECT_THAT(reel.output(), HasSubstr(R"("gaps":0,"corrupted":0)"));
  }
}

INSTANTIATE_TEST_SUITE_P(All, FilterSample, ::testing::ValuesIn(samples()),
                         [](const auto& sample) { return sample.param; });

TEST(FilterSamples, AreThereForEveryFilter) {
  const std::vector<std::string> there = samples();
  for (const char* name : {"flip", "crop", "blur", "edges", "motion", "background", "people", "diff",
                           "mosaic", "qr", "dnn", "gain", "mix", "spectrum"})
    EXPECT_TRUE(std::find(there.begin(), there.end(), name) != there.end()) << name;
}

// Two readers of one stream, each at its own speed.
TEST(PeopleAndMotion, ReadOneStreamTheOneTheNewestTheOtherEveryFrame) {
  REEL_NEEDS(fs::exists(kVtest) ? "" : std::string("no ") + kVtest + " (package opencv-doc)");
  const TempRuntimeDir runtime;
  const ScratchDir scratch;
  ChildProcess reel = ChildProcess::program(
      reel_command(),
      {"run", REEL_CONFIGS "/filters/people.yaml", "--summary-json", scratch.file("summary.json")},
      {{"OUT", scratch.path()}, {"REALTIME", "false"}});
  ASSERT_TRUE(reel.wait().ok()) << reel.errors();
  const auto json = nlohmann::json::parse(scratch.read("summary.json"));
  const auto motion = input_of(json, "motion"), people = input_of(json, "people");
  EXPECT_EQ(motion["frames"], 795);
  EXPECT_EQ(motion["skipped"].get<long>() + motion["lapped"].get<long>(), 0);
  EXPECT_EQ(people["frames"].get<long>() + people["skipped"].get<long>(), 795) << people;
  EXPECT_GT(people["skipped"].get<long>(), 0) << "the search is slower than the file is read";

  std::smatch counted;
  const std::string log = reel.errors();
  ASSERT_TRUE(std::regex_search(log, counted, std::regex("people were found in (\\d+) of (\\d+) pictures")))
      << log;
  EXPECT_EQ(std::stol(counted[2]), people["frames"].get<long>());
  EXPECT_GT(std::stol(counted[1]) * 2, std::stol(counted[2])) << "on most of those it has seen";
  ASSERT_TRUE(std::regex_search(log, counted, std::regex("something moved in (\\d+) of (\\d+) pictures")))
      << log;
  EXPECT_EQ(counted[2], "795");
  EXPECT_GT(std::stol(counted[1]), 700) << "somebody walks in it nearly all the time";
}

}  // namespace
}  // namespace reel_test
