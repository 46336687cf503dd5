#include "fake_catalog.hpp"
#include "graph_change.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>

namespace reel {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kHead = "version: 1\nname: p\nstages:\n";
constexpr const char* kCamera =
    "  camera: {use: camera, options: {width: 9}, out: {video: camera, audio: sound}}\n";
constexpr const char* kFilter = "  filter: {use: filter, in: camera, out: seen}\n";
constexpr const char* kScreen = "  screen: {use: show, in: seen}\n";

Graph graph(const std::string& stages) {
  return graph_of(kHead + stages);
}

GraphChange change(const Graph& before, const Graph& after) {
  const std::vector<bool> all(before.stages.size(), true), none(before.stages.size(), false);
  return compare(before, all, none, after);
}

std::vector<std::string> lines(const std::string& before, const std::string& after) {
  const Graph a = graph(before), b = graph(after);
  return describe(change(a, b), a, b);
}

TEST(GraphChange, IsNothingWhereNothingDiffers) {
  const std::string stages = std::string(kCamera) + kFilter + kScreen;
  EXPECT_THAT(lines(stages, stages), IsEmpty());
  EXPECT_THAT(lines(stages, std::string(kScreen) + kFilter + kCamera), IsEmpty()) << "the file's order";
}

TEST(GraphChange, LeavesAWriterAloneWhoseReadersAreOthers) {
  const std::string before = std::string(kCamera) + kFilter + kScreen;
  EXPECT_THAT(lines(before, before + "  more: {use: show, in: camera}\n"), ElementsAre("more: added"));
  EXPECT_THAT(lines(before + "  more: {use: show, in: camera}\n", before), ElementsAre("more: taken out"));
}

TEST(GraphChange, SaysWhatOfAStageDiffers) {
  const std::string rest = std::string(kFilter) + kScreen, before = kCamera + rest;
  EXPECT_THAT(
      lines(before,
            "  camera: {use: camera, options: {width: 8}, out: {video: camera, audio: sound}}\n" + rest),
      ElementsAre("camera: restarted: its options changed"));
  EXPECT_THAT(
      lines(before,
            "  camera: {use: camera, options: {width: 9}, nice: 3, out: {video: camera, audio: sound}}\n" +
                rest),
      ElementsAre("camera: restarted: its processors changed"));
  EXPECT_THAT(lines(before,
                    "  camera: {use: camera, options: {width: 9}, environment: {A: b}, out: {video: camera, "
                    "audio: sound}}\n" +
                        rest),
              ElementsAre("camera: restarted: its environment changed"));
  const std::string latest = "  filter: {use: filter, in: {stream: camera, policy: latest}, out: seen}\n";
  EXPECT_THAT(lines(before, kCamera + latest + kScreen),
              ElementsAre("filter: restarted: what it reads changed"));
  EXPECT_THAT(
      lines(before, kCamera + ("  filter: {use: show, in: camera}\n" +
                               std::string("  screen: {use: show, in: camera}\n"))),
      ElementsAre("filter: restarted: what it runs changed", "screen: restarted: what it reads changed"));
}

TEST(GraphChange, LeavesAloneWhatOnlyItsRestartsConcern) {
  const std::string rest = std::string(kFilter) + kScreen;
  for (const char* rule : {"restart: always", "hang_timeout: 3s"}) {
    const std::string other = std::string("  camera: {use: camera, ") + rule +
                              ", options: {width: 9}, out: {video: camera, audio: sound}}\n";
    EXPECT_THAT(lines(kCamera + rest, other + rest), ElementsAre("camera: has other rules for its restarts"));
  }
}

TEST(GraphChange, TakesOnOtherTimeouts) {
  const std::string stages = "stages:\n" + (std::string(kCamera) + kFilter + kScreen);
  Graph running = graph_of("version: 1\nname: p\n" + stages);
  Graph next = graph_of("version: 1\nname: p\ndrain_timeout: 2s\nstop_timeout: 500ms\n" + stages);
  std::vector<bool> present(3, true);
  const GraphChange difference = change(running, next);
  EXPECT_THAT(describe(difference, running, next), ElementsAre("drain_timeout is 2 s, stop_timeout 0.5 s"));
  merge(difference, running, present, std::move(next));
  EXPECT_EQ(running.drain_timeout_ms, 2000);
  EXPECT_EQ(running.stop_timeout_ms, 500);
}

TEST(GraphChange, TakesOnOtherRulesOfHealthAndSaysWhereItGoesOnServing) {
  const std::string stages = "stages:\n" + (std::string(kCamera) + kFilter + kScreen);
  Graph running = graph_of("version: 1\nname: p\nserve: 9477\n" + stages);
  Graph next = graph_of("version: 1\nname: p\nhealth: {stall_timeout: 3s}\n" + stages);
  std::vector<bool> present(3, true);
  const GraphChange difference = change(running, next);
  EXPECT_THAT(
      describe(difference, running, next),
      ElementsAre("health: other rules", "serve: stays 127.0.0.1:9477 until the pipeline is started anew"));
  merge(difference, running, present, std::move(next));
  EXPECT_EQ(running.health.stall_timeout_ms, 3000);
  ASSERT_TRUE(running.serve);
  EXPECT_EQ(running.serve->port, 9477);
}

TEST(GraphChange, AFileElsewhereIsTheSameButForWhatRunsThere) {
  const std::string text = "version: 1\nname: p\nstages:\n" + (std::string(kCamera) + kFilter + kScreen);
  const std::string program = "  program: {use: exec, options: {command: ls}}\n";
  FakeCatalog catalog;
  const auto graph_in = [&](const std::string& directory, const std::string& file) {
    return build_graph(parse_pipeline(file, directory + "/p.yaml"), catalog);
  };
  const Graph here = graph_in("/here", text), there = graph_in("/there", text);
  EXPECT_THAT(describe(change(here, there), here, there), IsEmpty());
  const Graph a = graph_in("/here", text + program), b = graph_in("/there", text + program);
  EXPECT_THAT(describe(change(a, b), a, b), ElementsAre(testing::StartsWith("program: restarted")));
}

TEST(GraphChange, ASlotCountThatWasGivenCounts) {
  const std::string stages = std::string(kCamera) + kFilter + kScreen;
  const Graph a = graph_of("version: 1\nname: p\nstreams: {camera: {slots: 20}}\nstages:\n" + stages);
  const Graph b = graph_of("version: 1\nname: p\nstreams: {camera: {slots: 21}}\nstages:\n" + stages);
  EXPECT_THAT(describe(change(a, b), a, b), ElementsAre("camera: restarted: what it writes changed"));
}

TEST(GraphChange, BeginsAnewWhatDiffersAndHasEnded) {
  const Graph a = graph(std::string(kCamera) + kFilter + kScreen);
  const Graph b = graph("  camera: {use: camera, options: {width: 8}, out: {video: camera, audio: sound}}\n" +
                        (std::string(kFilter) + kScreen));
  const GraphChange done = compare(a, {true, true, true}, {true, false, false}, b);
  EXPECT_THAT(done.removed, ElementsAre(0));
  EXPECT_THAT(done.added, ElementsAre(0));
  EXPECT_EQ(done.kept.size(), 2U);
}

TEST(GraphChange, KeepsTheIndicesOfWhatRuns) {
  Graph running = graph(std::string(kCamera) + kFilter + kScreen);
  std::vector<bool> present(3, true);
  // Without the filter; a new stage in front of all others in the file.
  Graph next = graph("  before: {use: camera, options: {width: 1}, out: {video: other, audio: noise}}\n" +
                     std::string(kCamera) + "  screen: {use: show, in: [camera, other]}\n");
  const GraphChange difference = change(running, next);
  merge(difference, running, present, std::move(next));
  ASSERT_EQ(running.stages.size(), 4U);
  EXPECT_EQ(running.stages[0].config.name, "camera");
  EXPECT_EQ(running.stages[2].config.name, "screen");
  EXPECT_EQ(running.stages[3].config.name, "before");
  EXPECT_EQ(present, (std::vector<bool>{true, false, true, true}));
  EXPECT_THAT(running.stages[2].upstream, testing::UnorderedElementsAre(0, 3));
  EXPECT_THAT(running.stages[3].downstream, ElementsAre(2));
  const auto other = std::find_if(running.streams.begin(), running.streams.end(),
                                  [](const GraphStream& stream) { return stream.name == "other"; });
  ASSERT_NE(other, running.streams.end());
  EXPECT_EQ(other->writer, 3U);
  EXPECT_EQ(find_stage(running, present, "before"), 3U);
  reel_test::expect_error(ErrorCode::not_found, {"no stage \"filter\"", "camera, screen or before"},
                          [&] { (void)find_stage(running, present, "filter"); });
}

}  // namespace
}  // namespace reel
