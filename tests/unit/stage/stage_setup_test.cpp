#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <reel/base/error.hpp>
#include <reel/stage/stage_setup.hpp>

namespace reel {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::json;

// No field has its default.
StageSetup full_setup() {
  StageSetup setup;
  setup.name = "faces";
  setup.plugin = "/plugins/opencv.faces.so";
  setup.base_directory = "/pipelines";
  setup.options["labels"] = OptionValue{"", {"a", "b"}, true, "faces.yaml:4"};
  setup.options["score"] = OptionValue{"0.5 \"x\"\n", {}, false, "faces.yaml:5"};
  InputSetup input{"in", "camera", {}};
  input.reader.name = "faces/faces.in0";
  input.reader.policy = Policy::latest;
  input.reader.start = Start::resume;
  input.reader.max_pins = 5;
  input.reader.verify = false;
  input.reader.deliver_corrupted = true;
  input.reader.reconnect = false;
  input.choice = {7, 12.5};
  setup.inputs.push_back(input);
  setup.join = JoinRule{20'000'000, JoinTime::capture, 500'000'000};
  OutputSetup output{"out", "faces", {}};
  output.writer.slots = 9;
  output.writer.slot_bytes = std::uint64_t{1} << 40;
  output.writer.max_bytes = std::uint64_t{1} << 41;
  output.writer.history = 3;
  output.writer.loans = 2;
  output.writer.side_data_bytes = 8192;
  output.writer.checksum = ChecksumMode::sampled;
  output.writer.live = true;
  output.writer.lag_frames = 4;
  output.writer.allowed_policies = {Policy::lossless, Policy::queue};
  output.writer.wait_for = {"faces/screen.in0"};
  output.writer.start_timeout_ms = 1;
  output.writer.stall_timeout_ms = 2;
  output.writer.absence_timeout_ms = 4;
  output.writer.resume_ms = 3;
  output.writer.memory = SegmentKind::posix;
  output.writer.allowed_users = {1000};
  output.writer.allowed_groups = {100, 4'000'000'000};
  setup.outputs.push_back(output);
  return setup;
}

TEST(StageSetup, ComesBackFromJsonAsItWas) {
  const StageSetup back = stage_setup_from_json(to_json(full_setup()));
  EXPECT_EQ(back.name, "faces");
  EXPECT_EQ(back.plugin, "/plugins/opencv.faces.so");
  EXPECT_EQ(back.base_directory, "/pipelines");
  EXPECT_THAT(back.options.at("labels").items, ElementsAre("a", "b"));
  EXPECT_TRUE(back.options.at("labels").is_list);
  EXPECT_EQ(back.options.at("score").text, "0.5 \"x\"\n");
  EXPECT_EQ(back.options.at("score").where, "faces.yaml:5");
  ASSERT_EQ(back.inputs.size(), 1u);
  EXPECT_EQ(back.inputs[0].port, "in");
  EXPECT_EQ(back.inputs[0].stream, "camera");
  const ReaderOptions& reader = back.inputs[0].reader;
  EXPECT_EQ(reader.name, "faces/faces.in0");
  EXPECT_EQ(reader.policy, Policy::latest);
  EXPECT_EQ(reader.start, Start::resume);
  EXPECT_EQ(reader.max_pins, 5u);
  EXPECT_FALSE(reader.verify);
  EXPECT_TRUE(reader.deliver_corrupted);
  EXPECT_FALSE(reader.reconnect);
  EXPECT_EQ(back.inputs[0].choice, (FrameChoice{7, 12.5}));
  EXPECT_EQ(back.join, (JoinRule{20'000'000, JoinTime::capture, 500'000'000}));
  ASSERT_EQ(back.outputs.size(), 1u);
  const WriterOptions& writer = back.outputs[0].writer;
  EXPECT_EQ(writer.slots, 9u);
  EXPECT_EQ(writer.slot_bytes, std::uint64_t{1} << 40);
  EXPECT_EQ(writer.max_bytes, std::uint64_t{1} << 41);
  EXPECT_EQ(writer.history, 3u);
  EXPECT_EQ(writer.loans, 2u);
  EXPECT_EQ(writer.side_data_bytes, 8192u);
  EXPECT_EQ(writer.checksum, ChecksumMode::sampled);
  EXPECT_TRUE(writer.live);
  EXPECT_EQ(writer.lag_frames, 4u);
  EXPECT_THAT(writer.allowed_policies, ElementsAre(Policy::lossless, Policy::queue));
  EXPECT_THAT(writer.wait_for, ElementsAre("faces/screen.in0"));
  EXPECT_EQ(writer.start_timeout_ms, 1);
  EXPECT_EQ(writer.stall_timeout_ms, 2);
  EXPECT_EQ(writer.absence_timeout_ms, 4);
  EXPECT_EQ(writer.resume_ms, 3);
  EXPECT_EQ(writer.memory, SegmentKind::posix);
  EXPECT_THAT(writer.allowed_users, ElementsAre(1000u));
  EXPECT_THAT(writer.allowed_groups, ElementsAre(100u, 4'000'000'000u));
}

struct Damage {
  const char* name;
  const char* pointer;  // a JSON pointer into the setup
  const char* value;    // JSON; empty: the field is removed
  const char* says;
};
void PrintTo(const Damage& damage, std::ostream* out) {
  *out << damage.pointer << " = " << damage.value;
}

class DamagedSetup : public testing::TestWithParam<Damage> {};

TEST_P(DamagedSetup, IsRefusedNamingTheField) {
  Json document = Json::parse(to_json(full_setup()));
  const Json::json_pointer pointer(GetParam().pointer);
  if (*GetParam().value == '\0') {
    document[pointer.parent_pointer()].erase(pointer.back());
  } else {
    document[pointer] = Json::parse(GetParam().value);
  }
  try {
    (void)stage_setup_from_json(document.dump());
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::protocol);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().says));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, DamagedSetup,
    testing::Values(
        Damage{"NoName", "/name", "", "name is missing"},
        Damage{"NameIsANumber", "/name", "3", "name is no text"},
        Damage{"OptionsAreAnArray", "/options", "[]", "options is no object"},
        Damage{"IsListIsAText", "/options/score/is_list", "\"no\"", "options.score.is_list is no boolean"},
        Damage{"ItemIsANumber", "/options/labels/items/1", "7", "options.labels.items[1] is no text"},
        Damage{"InputsAreAnObject", "/inputs", "{}", "inputs is no array"},
        Damage{"PolicyIsUnknown", "/inputs/0/reader/policy", "\"newest\"",
               "inputs[0].reader.policy (\"newest\") is not known"},
        Damage{"PinsAreNegative", "/inputs/0/reader/max_pins", "-1",
               "inputs[0].reader.max_pins (-1) is out of range"},
        Damage{"PinsAreTooMany", "/inputs/0/reader/max_pins", "5000000000", "out of range"},
        Damage{"PinsAreNotWhole", "/inputs/0/reader/max_pins", "2.5",
               "inputs[0].reader.max_pins is no integer"},
        Damage{"RateIsAText", "/inputs/0/choice/max_fps", "\"fast\"",
               "inputs[0].choice.max_fps is no number"},
        Damage{"RateIsNegative", "/inputs/0/choice/max_fps", "-1.5",
               "inputs[0].choice.max_fps (-1.5) is out of range"},
        Damage{"JoinByAnotherTime", "/join/time", "\"noon\"", "join.time (\"noon\") is not known"},
        Damage{"ToleranceIsNegative", "/join/tolerance_ns", "-1", "join.tolerance_ns (-1) is out of range"},
        Damage{"NoWriter", "/outputs/0/writer", "", "outputs[0].writer is missing"},
        Damage{"WriterIsANumber", "/outputs/0/writer", "1", "outputs[0].writer is no object"},
        Damage{"ChecksumIsUnknown", "/outputs/0/writer/checksum", "\"half\"",
               "outputs[0].writer.checksum (\"half\")"},
        Damage{"MemoryIsUnknown", "/outputs/0/writer/memory", "\"paper\"",
               "outputs[0].writer.memory (\"paper\")"}),
    [](const auto& damage) { return std::string(damage.param.name); });

TEST(StageSetup, MayHaveNoJoin) {
  StageSetup setup = full_setup();
  setup.join.reset();
  EXPECT_EQ(stage_setup_from_json(to_json(setup)).join, std::nullopt);
}

TEST(StageSetup, IsRefusedWhenItIsNoJson) {
  for (const char* text : {"", "{", "[1,2", "nonsense", "[]", "3", "null"})
    EXPECT_THROW((void)stage_setup_from_json(text), Error) << text;
}

}  // namespace
}  // namespace reel
