// Every mistake that a pipeline file alone can hold: where it is said to be, and what the message must name.
#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/scratch_dir.hpp>

#include <reel/base/error.hpp>
#include <reel/pipeline/config.hpp>

namespace reel {
namespace {

using ::testing::HasSubstr;

Error error_of(const std::string& text) {
  try {
    static_cast<void>(parse_pipeline(text, "p.yaml"));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_config) << error.what();
    return error;
  }
  ADD_FAILURE() << "no error for:\n" << text;
  return Error(ErrorCode::internal, "");
}

struct Mistake {
  const char* name;
  std::string text;
  std::string where;
  std::vector<std::string> says;
};

void PrintTo(const Mistake& mistake, std::ostream* stream) {
  *stream << mistake.name;
}

// A pipeline in which one line of a stage or stream is wrong: that line is number 4.
std::string stage(const std::string& line) {
  return "version: 1\nstages:\n  a: {use: x,\n    " + line + "}\n";
}
std::string stream(const std::string& line) {
  return "version: 1\nstreams:\n  cam: {slots: 9,\n    " + line + "}\nstages: {a: {use: x, out: cam}}\n";
}

class ConfigMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(ConfigMistake, IsSaidWithItsLine) {
  const Error error = error_of(GetParam().text);
  EXPECT_EQ(error.where(), GetParam().where) << error.what();
  for (const std::string& part : GetParam().says) EXPECT_THAT(error.what(), HasSubstr(part));
}

const std::vector<Mistake> kMistakes{
    {"Nothing", "", "p.yaml", {"nothing in it"}},
    {"OnlyAComment", "# later\n", "p.yaml", {"nothing in it"}},
    {"NoMap", "- a\n- b\n", "p.yaml:1", {"a map of keys", "not a list"}},
    {"Syntax", "version: 1\nstages: {a: [\n", "p.yaml:3", {"not YAML"}},
    {"Tab", "version: 1\nstages:\n\ta: 1\n", "p.yaml:3", {"not YAML"}},
    {"TwoDocuments", "version: 1\n---\nversion: 1\n", "p.yaml:3", {"second document"}},
    {"UnknownAlias", "version: 1\nname: *nobody\n", "p.yaml:2", {"not YAML"}},
    {"RecursiveAlias", "version: 1\nx-a: &a [*a]\n", "p.yaml:2", {"inside its own anchor"}},
    {"MergeOfAScalar", "version: 1\n<<: 5\n", "p.yaml:2", {"'<<' merges a map"}},
    {"KeyIsAList", "version: 1\n[a, b]: 1\n", "p.yaml:2", {"a key must be a text"}},
    {"DuplicateKey",
     "version: 1\nname: a\nname: b\nstages: {a: {use: x}}\n",
     "p.yaml:3",
     {"'name' stands twice", "first at p.yaml:2"}},
    {"NoVersion", "name: a\nstages: {a: {use: x}}\n", "p.yaml:1", {"needs the key 'version: 1'"}},
    {"OtherVersion", "version: 2\nstages: {a: {use: x}}\n", "p.yaml:1", {"version 1", "'2'"}},
    {"UnknownTopKey",
     "version: 1\nstage: {}\nstages: {a: {use: x}}\n",
     "p.yaml:2",
     {"no key 'stage'", "did you mean 'stages'?", "allowed: version, name"}},
    {"ControlCharacters",
     "version: 1\nname: \"a\\e[31m\\0b\"\nstages: {a: {use: x}}\n",
     "p.yaml:2",
     {"'a\\x1b[31m\\x00b' is no pipeline name"}},
    {"UnknownStageKey",
     "version: 1\nstages: {a: {use: x, ins: b}}\n",
     "p.yaml:2",
     {"no key 'ins'", "allowed: use, options, in, out, join, restart"}},
    {"BadName",
     "version: 1\nname: two words\nstages: {a: {use: x}}\n",
     "p.yaml:2",
     {"'two words' is no pipeline name"}},
    {"NoStages", "version: 1\nname: a\n", "p.yaml:1", {"at least one stage"}},
    {"EmptyStages", "version: 1\nstages: {}\n", "p.yaml:2", {"at least one stage"}},
    {"StagesAreAList", "version: 1\nstages: [a]\n", "p.yaml:2", {"'stages' must be a map", "not a list"}},
    {"PluginPathIsNotThere",
     "version: 1\nplugin_path: nowhere-at-all\nstages: {a: {use: x}}\n",
     "p.yaml:2",
     {"there is no directory", "nowhere-at-all"}},
    {"StreamName",
     "version: 1\nstreams:\n  Cam: {}\nstages: {a: {use: x}}\n",
     "p.yaml:3",
     {"'Cam' is no stream name", "a-z"}},
    {"StreamUnknownKey",
     stream("slot_byte: 3"),
     "p.yaml:4",
     {"stream 'cam' has no key 'slot_byte'", "did you mean 'slot_bytes'?", "checksum"}},
    {"StreamIsAScalar",
     "version: 1\nstreams:\n  cam: 8\nstages: {a: {use: x}}\n",
     "p.yaml:3",
     {"stream 'cam' must be a map"}},
    {"SlotsAreAWord",
     stream("loans: two"),
     "p.yaml:4",
     {"'loans' of stream 'cam' is 'two'", "whole number from 1 to 256"}},
    {"SlotsOutOfRange",
     "version: 1\nstreams:\n  cam: {slots: 257}\nstages: {a: {use: x}}\n",
     "p.yaml:3",
     {"'257'", "from 2 to 256"}},
    {"SlotsAreAList",
     "version: 1\nstreams:\n  cam: {slots: [8]}\nstages: {a: {use: x}}\n",
     "p.yaml:3",
     {"is a list", "from 2 to 256"}},
    {"SlotsAreMissing",
     "version: 1\nstreams:\n  cam:\n    slots:\nstages: {a: {use: x}}\n",
     "p.yaml:4",
     {"'slots' of stream 'cam' has no value"}},
    {"NoSize", stream("slot_bytes: 5 apples"), "p.yaml:4", {"'5 apples'", "number of bytes"}},
    {"HalfAByte", stream("slot_bytes: 0.5"), "p.yaml:4", {"number of bytes"}},
    {"SideDataTooLarge", stream("side_data_bytes: 17 MiB"), "p.yaml:4", {"up to 16777216"}},
    {"SideDataOdd", stream("side_data_bytes: 100"), "p.yaml:4", {"multiple of 8"}},
    {"Checksum", stream("checksum: ful"), "p.yaml:4", {"full, sampled or none", "did you mean 'full'?"}},
    {"Memory", stream("memory: disk"), "p.yaml:4", {"memfd or posix"}},
    {"Boolean", stream("live: maybe"), "p.yaml:4", {"true or false"}},
    {"Duration", stream("stall_timeout: 5 parsecs"), "p.yaml:4", {"a duration such as 2s"}},
    {"NegativeDuration", stream("stall_timeout: -1s"), "p.yaml:4", {"a duration such as 2s"}},
    {"LagWithoutLive", stream("lag_frames: 2"), "p.yaml:4", {"'live: true' only"}},
    {"StageName", "version: 1\nstages:\n  a.b: {use: x}\n", "p.yaml:3", {"'a.b' is no stage name"}},
    {"StageNamedStreams",
     "version: 1\nstages:\n  streams: {use: x}\n",
     "p.yaml:3",
     {"cannot be named 'streams'"}},
    {"NoUse", "version: 1\nstages:\n  a: {out: b}\n", "p.yaml:3", {"stage 'a' needs the key 'use'"}},
    {"UseIsAList", "version: 1\nstages:\n  a: {use: [x]}\n", "p.yaml:3", {"'use' of stage 'a' is a list"}},
    {"StageUnknownKey", stage("inn: cam"), "p.yaml:4", {"stage 'a' has no key 'inn'", "did you mean 'in'?"}},
    {"StageIsEmpty", "version: 1\nstages:\n  a:\n", "p.yaml:3", {"needs the key 'use'"}},
    {"OptionsAreAList", stage("options: [1]"), "p.yaml:4", {"'options' of stage 'a' must be a map"}},
    {"OptionIsAMap", stage("options: {n: {m: 1}}"), "p.yaml:4", {"option 'n' of stage 'a'", "not a map"}},
    {"OptionIsAListOfLists", stage("options: {n: [[1]]}"), "p.yaml:4", {"a list of something else"}},
    {"OptionHasNoValue", stage("options: {n: }"), "p.yaml:4", {"option 'n'", "has no value"}},
    {"Restart",
     stage("restart: on_failure"),
     "p.yaml:4",
     {"never, on-failure or always", "did you mean 'on-failure'?"}},
    {"RestartLimit", stage("restart_limit: -1"), "p.yaml:4", {"'-1'"}},
    {"Cpus", stage("cpus: [0, one]"), "p.yaml:4", {"'cpus' of stage 'a'", "[0, 1]"}},
    {"Nice", stage("nice: 20"), "p.yaml:4", {"from -20 to 19"}},
    {"Environment", stage("environment: {A: [1]}"), "p.yaml:4", {"NAME: value"}},
    {"InputName", stage("in: Cam"), "p.yaml:4", {"'Cam' is no stream name"}},
    {"InputWithoutStream",
     stage("in: {steam: cam, policy: latest}"),
     "p.yaml:4",
     {"needs the key 'stream'", "no key 'steam'", "did you mean 'stream'?"}},
    {"InputPolicy", stage("in: {stream: cam, policy: newest}"), "p.yaml:4", {"lossless, queue or latest"}},
    {"InputStart", stage("in: {stream: cam, start: now}"), "p.yaml:4", {"live, oldest, keyframe or resume"}},
    {"InputPins", stage("in: {stream: cam, max_pins: 65}"), "p.yaml:4", {"from 1 to 64"}},
    {"InputEvery", stage("in: {stream: cam, every: 0}"), "p.yaml:4", {"whole number from 1 to"}},
    {"InputRate", stage("in: {stream: cam, max_fps: 0}"), "p.yaml:4", {"'max_fps'", "a number from 0.001"}},
    {"InputRateIsAWord", stage("in: {stream: cam, max_fps: 10fps}"), "p.yaml:4", {"'10fps'", "a number"}},
    {"InputEveryAndRate",
     stage("in: {stream: cam, every: 2, max_fps: 5}"),
     "p.yaml:4",
     {"both 'every' and 'max_fps'"}},
    {"JoinWithoutTolerance",
     stage("join: {time: media}"),
     "p.yaml:4",
     {"'join' of stage 'a' needs the key 'tolerance'", "20ms"}},
    {"JoinTolerance",
     stage("join: near"),
     "p.yaml:4",
     {"'tolerance' of 'join' of stage 'a' is 'near'", "20ms"}},
    {"JoinTooLoose", stage("join: 2h"), "p.yaml:4", {"'2h'", "up to 3600 s"}},
    {"JoinTime", stage("join: {tolerance: 1ms, time: pts}"), "p.yaml:4", {"auto, media or capture"}},
    {"JoinUnknownKey", stage("join: {tolerance: 1ms, wait: 1s}"), "p.yaml:4", {"no key 'wait'", "timeout"}},
    {"JoinIsAList", stage("join: [20ms]"), "p.yaml:4", {"'join' of stage 'a' must be a map", "not a list"}},
    {"InputVerify", stage("in: {stream: cam, verify: sometimes}"), "p.yaml:4", {"always or never"}},
    {"InputCorrupted", stage("in: {stream: cam, on_corrupted: keep}"), "p.yaml:4", {"drop or deliver"}},
    {"InputListOfLists", stage("in: [[cam]]"), "p.yaml:4", {"not a list"}},
    {"InputStreamIsAList", stage("in: {stream: [cam]}"), "p.yaml:4", {"must be a stream's name"}},
    {"InputPortTwice",
     stage("in: {left: {stream: cam, port: right}}"),
     "p.yaml:4",
     {"gives the port twice", "'left' and 'right'"}},
    {"OutputIsAListOfLists", stage("out: [[a, b]]"), "p.yaml:4", {"'out' of stage 'a'", "not a list"}},
    {"OutputName", stage("out: {video: a b}"), "p.yaml:4", {"'a b' is no stream name"}},
    {"VariableNotSet",
     stage("nice: \"${REEL_TEST_NOT_SET}\""),
     "p.yaml:4",
     {"REEL_TEST_NOT_SET is not set", ":-default"}},
    {"VariableNotClosed", stage("nice: \"${HOME\""), "p.yaml:4", {"no closing brace"}},
};

INSTANTIATE_TEST_SUITE_P(All, ConfigMistake, ::testing::ValuesIn(kMistakes),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ConfigMistakes, AreAllShownAtOnce) {
  const Error error =
      error_of("version: 1\nstages:\n  a: {use: x, nice: 99}\n  b: {use: x, restart: maybe}\n");
  EXPECT_EQ(error.where(), "p.yaml:3");
  EXPECT_THAT(error.what(), HasSubstr("\np.yaml:4: 'restart' of stage 'b'"));
}

TEST(ConfigMistakes, AreBoundedInNumber) {
  std::string text = "version: 1\nstages:\n";
  for (int i = 0; i < 50; ++i) text += "  s" + std::to_string(i) + ": {use: x, nice: 99}\n";
  EXPECT_THAT(error_of(text).what(), HasSubstr("and 30 more"));
}

TEST(ConfigMistakes, IncludeAliasesThatMultiply) {
  std::string text = "version: 1\nx-0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "x-" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 1; j < 10; ++j) text += ", " + before;
    text += "]\n";
  }
  EXPECT_THAT(error_of(text).what(), HasSubstr("too large for a pipeline"));
}

class ConfigFile : public ::testing::Test {
 protected:
  Error load_error(const std::string& file) const {
    try {
      static_cast<void>(load_pipeline(file));
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error for " << file;
    return Error(ErrorCode::internal, "");
  }

  reel_test::ScratchDir scratch_;
};

TEST_F(ConfigFile, IsNamedWhenItIsMissing) {
  const Error error = load_error(scratch_.file("none.yaml"));
  EXPECT_EQ(error.code(), ErrorCode::bad_config);
  EXPECT_EQ(error.where(), scratch_.file("none.yaml"));
  EXPECT_THAT(error.what(), HasSubstr("No such file"));
}

TEST_F(ConfigFile, IsNamedWhenItIsADirectory) {
  EXPECT_THAT(load_error(scratch_.path()).what(), HasSubstr("is a directory"));
}

TEST_F(ConfigFile, IsNamedWhenItIsEmpty) {
  EXPECT_THAT(load_error(scratch_.write("empty.yaml", "")).what(), HasSubstr("nothing in it"));
}

TEST_F(ConfigFile, IsNamedWhenItIsTooLarge) {
  const std::string large(2'000'000, '#');
  EXPECT_THAT(load_error(scratch_.write("large.yaml", large)).what(), HasSubstr("too large"));
}

TEST_F(ConfigFile, IsRefusedWhenItIsBinary) {
  const std::string binary(
      "\x7f"
      "ELF\0\1\2\3\xff\xfe",
      10);
  EXPECT_EQ(load_error(scratch_.write("binary.yaml", binary)).code(), ErrorCode::bad_config);
}

}  // namespace
}  // namespace reel
