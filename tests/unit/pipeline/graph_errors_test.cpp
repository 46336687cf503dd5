// Mistakes that show only once plugins and the other stages are known.
#include "fake_catalog.hpp"

#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <reel/base/error.hpp>

namespace reel {
namespace {

using ::testing::HasSubstr;

struct Mistake {
  const char* name;
  std::string stages;  // lines of `stages:`, the first being line 3 of the file
  std::string where;
  std::vector<std::string> says;
  std::string streams = "{}";
};

void PrintTo(const Mistake& mistake, std::ostream* stream) {
  *stream << mistake.name;
}

class GraphMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(GraphMistake, IsSaidWithItsLine) {
  const Mistake& mistake = GetParam();
  const std::string text =
      "{version: 1, streams: " + mistake.streams + ",\nstages: {\n" + mistake.stages + "}}\n";
  try {
    static_cast<void>(graph_of(text));
    FAIL() << "no error for\n" << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_config);
    EXPECT_EQ(error.where(), mistake.where) << error.what();
    for (const std::string& part : mistake.says) EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

const std::string kCamera = "c: {use: camera, out: {video: v, audio: a}},\n";

const std::vector<Mistake> kMistakes{
    {"UnknownPlugin", "a: {\nuse: camra}", "p.yaml:4", {"stage 'a'", "there is no plugin \"camra\""}},
    {"UnknownOption",
     "a: {use: camera, out: v, options: {\nurl: x}}",
     "p.yaml:4",
     {"stage 'a' (camera)", "url", "uri"}},
    {"OptionOfAnotherType", "a: {use: camera, out: v, options: {\nwidth: wide}}", "p.yaml:4", {"wide"}},
    {"OptionOutOfRange", "a: {use: camera, out: v, options: {\nwidth: 5000}}", "p.yaml:4", {"5000", "4096"}},
    {"TwoWriters",
     kCamera + "d: {use: camera, out: v}",
     "p.yaml:4",
     {"stream 'v' has two writers", "stage 'c' (p.yaml:3)", "stage 'd'"}},
    {"TwoWritersInOneStage", "c: {use: camera, out: {video: v,\naudio: v}}", "p.yaml:4", {"two writers"}},
    {"TwoStreamsOfOneOutput",
     "c: {use: camera, out: [v,\nw]}",
     "p.yaml:4",
     {"output port 'video' of stage 'c' (camera) gives one stream, and gives 'v' already"}},
    {"NobodyWrites",
     kCamera + "s: {use: show, in: vv}",
     "p.yaml:4",
     {"stage 's' reads stream 'vv', which no stage writes", "did you mean 'v'?", "written: a, v"}},
    {"DeclaredButNotWritten", kCamera, "p.yaml:1", {"no stage writes stream 'w'"}, "{w: {}}"},
    {"DeclaredButOfAProgram",
     "e: {use: exec, options: {command: x}, out: w}",
     "p.yaml:1",
     {"exec stage 'e'"},
     "{w: {}}"},
    {"LaunchLineMissing",
     "g: {use: gst, out: w}",
     "p.yaml:3",
     {"stage 'g' (gst)", "option launch must be given"}},
    {"OptionBesideALaunchLine",
     "g: {use: gst, out: w, options: {launch: reelsink,\nlunch: x}}",
     "p.yaml:4",
     {"stage 'g' (gst)", "lunch", "launch"}},
    {"LaunchLineWithoutASink",
     "g: {use: gst, out: w, options: {\nlaunch: reelsink stream=w}}",
     "p.yaml:4",
     {"stage 'g' (gst) has 1 output, and its launch line 0 'reelsink' without a stream"}},
    {"LaunchLineWithOneSourceForTwoInputs",
     kCamera + "g: {use: gst, in: [v, a], options: {launch: reelsrc ! fakesink}}",
     "p.yaml:4",
     {"has 2 inputs, and its launch line 1 'reelsrc'"}},
    {"Cycle",
     "f: {use: filter, in: z, out: x},\ng: {use: filter, in: x, out: y},\nh: {use: filter, in: y, out: z}",
     "p.yaml:3",
     {"f -> g -> h -> f"}},
    {"CycleOfOne", "f: {use: filter, in: x, out: x}", "p.yaml:3", {"f -> f"}},
    {"NoSuchInputPort",
     kCamera + "f: {use: filter, in: {inn: v}, out: w}",
     "p.yaml:4",
     {"no input port 'inn'", "did you mean 'in'?"}},
    {"NoSuchOutputPort",
     "c: {use: camera, out: {vidio: v}}",
     "p.yaml:3",
     {"no output port 'vidio'", "did you mean 'video'?", "video, audio"}},
    {"ReadsNothing",
     kCamera + "d: {use: camera, in: v, out: w}",
     "p.yaml:4",
     {"stage 'd' (camera) reads no streams"}},
    {"WritesNothing",
     kCamera + "s: {use: show, in: v, out: w}",
     "p.yaml:4",
     {"stage 's' (show) writes no streams"}},
    {"InputMissing",
     "f: {use: filter, out: w}",
     "p.yaml:3",
     {"needs a stream at its port 'in' (video: pictures)", "'in'"}},
    {"OutputMissing", "c: {use: camera}", "p.yaml:3", {"needs a stream at its port 'video'", "'out'"}},
    {"TwoAtOnePort",
     kCamera + "f: {use: filter, in: {in: [v, v]}, out: w}",
     "p.yaml:4",
     {"takes one stream, and has one already"}},
    {"NoPortLeft",
     kCamera + "f: {use: filter, in: [v, v], out: w}",
     "p.yaml:4",
     {"no input port", "is left for stream 'v'"}},
    {"OtherMedia",
     kCamera + "f: {use: filter, in: a, out: w}",
     "p.yaml:4",
     {"takes video", "stream 'a' carries audio"}},
    {"OtherMediaAtAPort",
     kCamera + "m: {use: mix, in: {picture: v, sound: v}}",
     "p.yaml:4",
     {"input port 'sound'", "takes audio", "carries video"}},
    {"LatestOfAudio",
     kCamera + "l: {use: level, in: {stream: a, policy: latest}}",
     "p.yaml:4",
     {"'latest'", "queue or lossless"}},
    {"LatestAtAPortOfAudio",
     "e: {use: exec, options: {command: x}, out: s},\nl: {use: level, in: {stream: s, policy: latest}}",
     "p.yaml:4",
     {"'latest'", "queue or lossless"}},
    {"EveryOfAudio",
     kCamera + "l: {use: level, in: {stream: a, every: 2}}",
     "p.yaml:4",
     {"stage 'l' reads audio 'a' with 'every'", "take it whole"}},
    {"RateOfAProgram",
     kCamera + "e: {use: exec, options: {command: x}, in: {stream: v, max_fps: 5}}",
     "p.yaml:4",
     {"stage 'e' (exec) cannot have 'max_fps' at its input 'v'", "let it leave them out"}},
    {"RateOfALaunchLine",
     kCamera + "g: {use: gst, in: {stream: v, max_fps: 5}, options: {launch: reelsrc ! fakesink}}",
     "p.yaml:4",
     {"stage 'g' (gst) cannot have 'max_fps'", "videorate drop-only=true max-rate=5"}},
    {"EveryOfALaunchLine",
     kCamera + "g: {use: gst, in: {stream: v, every: 5}, options: {launch: reelsrc ! fakesink}}",
     "p.yaml:4",
     {"stage 'g' (gst) cannot have 'every'", "videorate drop-only=true max-rate=10"}},
    {"JoinOfOneInput",
     kCamera + "s: {use: show, in: v,\njoin: 20ms}",
     "p.yaml:5",
     {"stage 's' has 'join' and one input"}},
    {"JoinOfAudio", kCamera + "s: {use: show, in: [v, a], join: 20ms}", "p.yaml:4", {"joins audio 'a'"}},
    {"JoinWithOnePin",
     kCamera + "s: {use: show, in: [v, {stream: v, max_pins: 1}], join: 20ms}",
     "p.yaml:4",
     {"joins 'v' with max_pins 1", "holds 2 frames of each input"}},
    {"JoinOfAProgram",
     kCamera + "e: {use: exec, options: {command: x}, in: [v, v], join: 20ms}",
     "p.yaml:4",
     {"stage 'e' (exec) cannot have 'join'", "reads by itself"}},
    {"JoinOfALaunchLine",
     kCamera +
         "g: {use: gst, in: [v, v], join: 20ms, options: {launch: reelsrc ! fakesink reelsrc ! fakesink}}",
     "p.yaml:4",
     {"stage 'g' (gst) cannot have 'join'", "compositor"}},
    {"TooFewSlots",
     kCamera + "s: {use: show, in: {stream: v, max_pins: 5}}",
     "p.yaml:1",
     {"stream 'v' has 7 slots", "1 history + 1 loans + 5 pins of 1 readers + 1 = 8"},
     "{v: {slots: 7}}"},
    {"TooManySlots",
     kCamera + "s: {use: show, in: [v, v, v, {stream: v, max_pins: 64}, {stream: v, max_pins: 64}, {stream: "
               "v, max_pins: 64}, {stream: v, max_pins: 64}]}",
     "p.yaml:3",
     {"would need", "256 slots"}},
    {"LongName",
     kCamera + "s1234567890123456789012345678901: {use: show, in: v}",
     "p.yaml:4",
     {"longer than 63 characters"},
     "{}, name: n1234567890123456789012345678901"},
    {"ExecWithoutCommand", "e: {use: exec}", "p.yaml:3", {"needs the option 'command'"}},
    {"ExecWithEmptyCommand",
     "e: {use: exec, options: {command: []}}",
     "p.yaml:3",
     {"needs the option 'command'"}},
    {"ExecWithOtherOption",
     "e: {use: exec, options: {comand: x}}",
     "p.yaml:3",
     {"no option 'comand'", "did you mean 'command'?"}},
    {"ManyInputs",
     kCamera + "s: {use: show, in: [v,v,v,v,v,v,v,v,v,v,v,v,v,v,v,v,v]}",
     "p.yaml:4",
     {"17 inputs", "16 are allowed"}},
};

INSTANTIATE_TEST_SUITE_P(All, GraphMistake, ::testing::ValuesIn(kMistakes),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(GraphMistakes, AreNotFollowedByWhatTheyBringAbout) {
  for (const char* text :
       {"{version: 1, stages: {c: {use: camera, out: {vidio: v}}}}",
        "{version: 1, stages: {c: {use: camera, out: v}, f: {use: filter, in: {inn: v}, out: w}}}"}) {
    try {
      static_cast<void>(graph_of(text));
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("did you mean"));
      EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("needs a stream"))) << text;
    }
  }
}

TEST(GraphMistakes, AreAllShownAtOnce) {
  try {
    static_cast<void>(graph_of("{version: 1, stages: {\na: {use: nope},\nb: {use: show, in: gone}}}"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("nope"));
    EXPECT_THAT(error.what(), HasSubstr("\np.yaml:3: stage 'b' reads stream 'gone'"));
  }
}

}  // namespace
}  // namespace reel
