// Which graphs come to a standstill at a join, and which do not.
#include "fake_catalog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <reel/pipeline/fork_depth.hpp>

namespace reel {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<Lack> lacks_of(const std::string& stages, const std::string& streams = "{}") {
  return shallow_forks(graph_of("{version: 1, streams: " + streams +
                                ", stages: {\nc: {use: camera, out: v},\n" + stages + "}}"));
}

std::string one(const std::vector<Lack>& lacks) {
  return lacks.size() == 1 ? lacks.front().text : "(" + std::to_string(lacks.size()) + " warnings)";
}

TEST(ForkDepth, IsTooSmallWhereOneWayLeavesOutMoreThanTheOtherHolds) {
  const auto lacks = lacks_of(
      "f: {use: filter, in: {stream: v, every: 30}, out: w},\n"
      "s: {use: show, in: [v, w],\njoin: 20ms}");
  ASSERT_EQ(lacks.size(), 1u);
  EXPECT_EQ(lacks[0].where, "p.yaml:5");
  EXPECT_THAT(lacks[0].text,
              AllOf(HasSubstr("stage 's' joins 'w' and 'v'"), HasSubstr("both come from stage 'c'"),
                    HasSubstr("write 30 frames"), HasSubstr("room for 11"),
                    HasSubstr("Give stream 'v' 30 slots or more (it has 11)")));
}

TEST(ForkDepth, IsEnoughWithAsManySlots) {
  const std::string stages =
      "f: {use: filter, in: {stream: v, every: 30}, out: w}, s: {use: show, in: [v, w], join: 20ms}";
  EXPECT_THAT(lacks_of(stages, "{v: {slots: 30}}"), IsEmpty());
  EXPECT_EQ(lacks_of(stages, "{v: {slots: 29}}").size(), 1u);
}

TEST(ForkDepth, CountsEveryStreamOnTheWay) {
  const std::string stages =
      "f: {use: filter, in: {stream: v, every: 30}, out: w}, g: {use: filter, in: v, out: x},"
      "s: {use: show, in: [x, w], join: 20ms}";
  EXPECT_THAT(lacks_of(stages, "{v: {slots: 10}, x: {slots: 20}}"), IsEmpty());
  EXPECT_THAT(one(lacks_of(stages, "{v: {slots: 10}, x: {slots: 19}}")),
              AllOf(HasSubstr("room for 29"), HasSubstr("'v' 11 slots")));
}

TEST(ForkDepth, CountsWhatIsLeftOutOnBothWays) {
  // Each frame of x stands for three of v.
  const std::string stages =
      "f: {use: filter, in: {stream: v, every: 5}, out: u}, g: {use: filter, in: {stream: u, every: 8}, out: "
      "w},"
      "h: {use: filter, in: {stream: v, every: 3}, out: x}, s: {use: show, in: [x, w], join: 20ms}";
  EXPECT_THAT(lacks_of(stages, "{v: {slots: 10}, x: {slots: 10}}"), IsEmpty());
  EXPECT_THAT(one(lacks_of(stages, "{v: {slots: 10}, x: {slots: 9}}")),
              AllOf(HasSubstr("write 40 frames"), HasSubstr("room for 37")));
}

TEST(ForkDepth, TakesAUsualRateForMaxFps) {
  EXPECT_THAT(
      one(lacks_of("s: {use: show, in: [v, {stream: v, max_fps: 2}], join: 20ms}")),
      AllOf(HasSubstr("'v, max_fps: 2'"), HasSubstr("write 15 frames"), HasSubstr("at 30 frames a second")));
  EXPECT_THAT(lacks_of("s: {use: show, in: [v, {stream: v, max_fps: 10}], join: 20ms}"), IsEmpty());
}

TEST(ForkDepth, DoesNotMatterWhereNobodyWaits) {
  for (const char* stages :
       {"s: {use: show, in: [v, {stream: v, every: 30}]}",  // each as it comes
        "s: {use: show, in: [{stream: v, policy: queue}, {stream: v, every: 30}], join: 20ms}",
        "s: {use: show, in: [{stream: v, policy: latest}, {stream: v, every: 30}], join: 20ms}",
        "d: {use: camera, out: w}, s: {use: show, in: [v, {stream: w, every: 30}], join: 20ms}",
        "f: {use: filter, in: v, out: w}, s: {use: show, in: [v, w], join: 20ms}",
        "f: {use: filter, in: {stream: v, every: 30}, out: w},"
        "s: {use: show, in: [w, {stream: w, every: 5}], join: 20ms}"})
    EXPECT_THAT(lacks_of(stages), IsEmpty()) << stages;
  EXPECT_THAT(lacks_of("s: {use: show, in: [v, {stream: v, every: 30}], join: 20ms}", "{v: {live: true}}"),
              IsEmpty());
}

TEST(ForkDepth, SaysWhenNoStreamHasSoManySlots) {
  EXPECT_THAT(one(lacks_of("s: {use: show, in: [v, {stream: v, every: 500}], join: 20ms}")),
              AllOf(HasSubstr("Leave fewer frames out"), HasSubstr("256 at most")));
}

}  // namespace
}  // namespace reel
