#include "fake_catalog.hpp"

#include <gtest/gtest.h>

#include <reel/base/error.hpp>
#include <reel/pipeline/graph.hpp>

namespace reel {
namespace {

constexpr const char* kFaces = R"(version: 1
name: faces
streams: {camera: {history: 2, checksum: sampled}}
stages:
  screen: {use: show, in: [seen, loud]}
  filter: {use: filter, in: {stream: camera, policy: latest, max_pins: 3, every: 2}, out: seen}
  camera: {use: camera, options: {width: 9}, out: {video: camera, audio: sound}}
  level: {use: level, in: sound, out: loud}
)";

const GraphStage& stage(const Graph& graph, const std::string& name) {
  for (const GraphStage& candidate : graph.stages) {
    if (candidate.config.name == name) return candidate;
  }
  throw Error(ErrorCode::internal, "no stage " + name);
}

TEST(Graph, AnOutputPortMayGiveManyStreams) {
  const Graph graph = graph_of(R"({version: 1, stages: {
    p: {use: player, out: [v, w]}, f: {use: filter, in: w, out: x}}})");
  ASSERT_EQ(graph.stages[0].setup.outputs.size(), 2u);
  EXPECT_EQ(graph.stages[0].setup.outputs[0].stream, "v");
  EXPECT_EQ(graph.stages[0].setup.outputs[1].port, "out");
}

TEST(Graph, PutsStagesBehindWhatTheyRead) {
  const Graph graph = graph_of(kFaces);
  std::vector<std::string> order;
  for (const GraphStage& each : graph.stages) order.push_back(each.config.name);
  EXPECT_EQ(order, (std::vector<std::string>{"camera", "filter", "level", "screen"}));
  EXPECT_TRUE(graph.stages[0].source());
  EXPECT_TRUE(graph.stages[3].sink());
  EXPECT_EQ(graph.stages[0].downstream, (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(graph.stages[3].upstream, (std::vector<std::size_t>{1, 2}));
}

TEST(Graph, KnowsWriterAndReadersOfEveryStream) {
  const Graph graph = graph_of(kFaces);
  ASSERT_EQ(graph.streams.size(), 4u);
  EXPECT_EQ(graph.streams[0].name, "camera");
  EXPECT_EQ(graph.streams[0].writer, 0u);
  EXPECT_EQ(graph.streams[0].readers, (std::vector<std::size_t>{1}));
}

TEST(Graph, HasAGstStageWaitedForAndToldWhatAPluginIsTold) {
  const Graph graph = graph_of(R"({version: 1, name: p, streams: {w: {slots: 20}}, stages: {
    c: {use: camera, out: v},
    g: {use: gst, in: [v, {stream: v, policy: queue}], out: w, options: {launch: reelsrc ! reelsink reelsrc ! fakesink}}}})");
  const GraphStage& gst = stage(graph, "g");
  EXPECT_TRUE(gst.gst);
  EXPECT_FALSE(gst.exec());
  EXPECT_EQ(gst.setup.options.at("launch").text, "reelsrc ! reelsink reelsrc ! fakesink");
  EXPECT_EQ(gst.setup.inputs.at(0).reader.name, "p/g.in0");
  EXPECT_EQ(gst.setup.inputs.at(1).reader.policy, Policy::queue);
  EXPECT_EQ(gst.setup.outputs.at(0).writer.slots, 20u);
  EXPECT_EQ(stage(graph, "c").setup.outputs.at(0).writer.wait_for,
            (std::vector<std::string>{"p/g.in0", "p/g.in1"}));
}

TEST(Graph, TellsEachStageItsInputs) {
  const Graph graph = graph_of(kFaces);
  const StageSetup& filter = stage(graph, "filter").setup;
  EXPECT_EQ(filter.plugin, "/plugins/filter.so");
  ASSERT_EQ(filter.inputs.size(), 1u);
  EXPECT_EQ(filter.inputs[0].port, "in");
  EXPECT_EQ(filter.inputs[0].reader.name, "faces/filter");
  EXPECT_EQ(filter.inputs[0].reader.policy, Policy::latest);
  EXPECT_EQ(filter.inputs[0].reader.max_pins, 3u);
  EXPECT_EQ(filter.inputs[0].choice.every, 2u);
  const StageSetup& screen = stage(graph, "screen").setup;
  EXPECT_EQ(screen.inputs.at(0).reader.name, "faces/screen.in0");
  EXPECT_EQ(screen.inputs.at(1).reader.name, "faces/screen.in1");
  EXPECT_EQ(screen.inputs.at(1).reader.policy, Policy::lossless);
}

TEST(Graph, JoinsWhatComesFromOneSourceByItsTimeLine) {
  const Graph graph = graph_of(R"({version: 1, stages: {
    c: {use: camera, out: v}, d: {use: camera, out: w}, f: {use: filter, in: v, out: x},
    one: {use: show, in: [v, x], join: 20ms},
    two: {use: show, in: [x, w], join: 20ms},
    told: {use: show, in: [v, x], join: {tolerance: 20ms, time: capture}},
    none: {use: show, in: [v, x]}}})");
  EXPECT_EQ(stage(graph, "one").setup.join, (JoinRule{20'000'000, JoinTime::media, 0}));
  EXPECT_EQ(stage(graph, "two").setup.join, (JoinRule{20'000'000, JoinTime::automatic, 0}));
  EXPECT_EQ(stage(graph, "told").setup.join, (JoinRule{20'000'000, JoinTime::capture, 0}));
  EXPECT_EQ(stage(graph, "none").setup.join, std::nullopt);
}

TEST(Graph, TellsEachStageItsOutputs) {
  const Graph graph = graph_of(kFaces);
  const StageSetup& camera = stage(graph, "camera").setup;
  EXPECT_EQ(camera.options.at("width").text, "9");
  ASSERT_EQ(camera.outputs.size(), 2u);
  EXPECT_EQ(camera.outputs[0].port, "video");
  EXPECT_EQ(camera.outputs[0].writer.checksum, ChecksumMode::sampled);
  EXPECT_EQ(camera.outputs[0].writer.wait_for, (std::vector<std::string>{"faces/filter"}));
}

TEST(Graph, DerivesSlotsFromTheReaders) {
  const Graph graph = graph_of(kFaces);
  const StageSetup& camera = stage(graph, "camera").setup;
  EXPECT_EQ(camera.outputs[0].writer.slots, 2u + 1 + 3 + 1 + 4);  // history, loan, pins, one, two guests
  EXPECT_EQ(camera.outputs[1].writer.slots, 9u);                  // 1 + 1 + 2 + 1 + 4
}

TEST(Graph, DoesNotLetALiveWriterWaitForItsReaders) {
  const Graph graph = graph_of(R"({version: 1, streams: {cam: {live: true, lag_frames: 20}}, stages: {
    c: {use: camera, out: cam}, s: {use: show, in: cam}, t: {use: show, in: {stream: cam, policy: queue}}}})");
  const WriterOptions& writer = graph.stages[0].setup.outputs.at(0).writer;
  EXPECT_TRUE(writer.wait_for.empty());
  EXPECT_EQ(writer.slots, 1u + 1 + 4 + 20 + 1 + 4);
}

TEST(Graph, LetsAWriterWaitForAProgramWhereTheFileSaysSo) {
  const Graph graph = graph_of(R"({version: 1, stages: {
    c: {use: camera, out: {video: v, audio: a}}, s: {use: show, in: {stream: v, wait: false}},
    e: {use: exec, options: {command: x}, in: {one: {stream: v, wait: true}, two: a}}}})");
  const auto& outputs = graph.stages[0].setup.outputs;
  EXPECT_EQ(outputs.at(0).writer.wait_for, (std::vector<std::string>{"p/e"}));
  EXPECT_TRUE(outputs.at(1).writer.wait_for.empty());
  for (const InputSetup& input : graph.stages[2].setup.inputs) EXPECT_EQ(input.reader.name, "p/e");
}

TEST(Graph, GivesUnnamedInputsTheFirstFreePortOfTheirMedia) {
  const Graph graph = graph_of(R"({version: 1, stages: {
    c: {use: camera, out: {video: v, audio: a}}, m: {use: mix, in: [a, v]}}})");
  const auto& inputs = graph.stages[1].setup.inputs;
  EXPECT_EQ(inputs.at(0).port, "sound");
  EXPECT_EQ(inputs.at(1).port, "picture");
  EXPECT_EQ(inputs.at(0).reader.name, "p/m.sound");
}

TEST(Graph, LetsNamedPortsGoFirst) {
  const Graph graph = graph_of(R"({version: 1, stages: {
    c: {use: camera, out: v}, d: {use: exec, options: {command: x}, out: any},
    m: {use: mix, in: [any, {stream: v, port: picture}]}}})");
  EXPECT_EQ(graph.stages[2].setup.inputs.at(0).port, "sound");
}

TEST(Graph, RunsProgramsWithTheirWordsOrTheShell) {
  const Graph graph = graph_of(R"({version: 1, stages: {
    a: {use: exec, options: {command: [prog, "-x", "a b"]}, out: one},
    b: {use: exec, options: {command: "cat | wc"}, in: {left: one}}}})");
  EXPECT_EQ(graph.stages[0].command, (std::vector<std::string>{"prog", "-x", "a b"}));
  EXPECT_EQ(graph.stages[1].command, (std::vector<std::string>{"/bin/sh", "-c", "cat | wc"}));
  EXPECT_EQ(graph.stages[0].setup.outputs.at(0).port, "out");
  EXPECT_EQ(graph.stages[1].setup.inputs.at(0).port, "left");
  EXPECT_TRUE(graph.stages[0].exec());
}

TEST(Graph, SumsTheSlots) {
  StreamConfig stream;
  stream.live = true;
  stream.lag_frames = 3;
  InputConfig one, two;
  two.policy = Policy::latest;
  const SlotSum sum = slots_for(stream, {&one, &two});
  EXPECT_EQ(sum.needed, 1u + 1 + 4 + 3 + 1);
  EXPECT_EQ(sum.comfortable, sum.needed + 4);
  EXPECT_EQ(sum.text, "1 history + 1 loans + 4 pins of 2 readers + 3 frames of lag + 1 = 10");
}

}  // namespace
}  // namespace reel
