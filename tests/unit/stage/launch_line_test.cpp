#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <reel/stage/launch_line.hpp>

namespace reel {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "source" or "sink" for each open end.
std::vector<std::string> ends_of(std::string_view launch) {
  std::vector<std::string> ends;
  for (const OpenEnd& end : open_ends(launch)) ends.emplace_back(end.source ? "source" : "sink");
  return ends;
}

TEST(LaunchLine, HasAnOpenEndWhereAnElementNamesNoStream) {
  EXPECT_THAT(ends_of("reelsrc ! videoflip method=rotate-180 ! reelsink"), ElementsAre("source", "sink"));
  EXPECT_THAT(ends_of("reelsrc!reelsink"), ElementsAre("source", "sink"));
  EXPECT_THAT(ends_of("reelsrc stream=a ! reelsink sync=false"), ElementsAre("sink"));
  EXPECT_THAT(ends_of("reelsrc policy=latest stream = a ! reelsink stream= b"), IsEmpty());
  EXPECT_THAT(ends_of("reelsrc stream =a reelsink"), ElementsAre("sink"));
  EXPECT_THAT(ends_of("reelsrc ! tee name=t ! reelsink t. ! queue ! reelsink"),
              ElementsAre("source", "sink", "sink"));
  EXPECT_THAT(ends_of("( reelsrc ! reelsink )"), ElementsAre("source", "sink"));
}

TEST(LaunchLine, TakesNothingElseForAnElement) {
  EXPECT_THAT(ends_of(""), IsEmpty());
  EXPECT_THAT(ends_of("filesrc location=reelsrc ! filesink location = reelsink"), IsEmpty());
  EXPECT_THAT(ends_of("filesrc location=\"a ! reelsrc ! b\" ! fakesink name='reelsink'"), IsEmpty());
  EXPECT_THAT(ends_of("filesrc location=a\\ reelsrc ! myreelsrc ! reelsrc2"), IsEmpty());
  EXPECT_THAT(ends_of("filesrc location=\"never closed ! reelsrc"), IsEmpty());
  EXPECT_THAT(ends_of("filesrc location=\"ends in a backslash\\"), IsEmpty());
}

TEST(LaunchLine, ThatIsFilledLetsItsOwnPropertiesComeLast) {
  EXPECT_EQ(filled_launch("reelsrc policy=queue!reelsink", {"stream=a policy=lossless", "stream=b"}),
            "reelsrc stream=a policy=lossless  policy=queue!reelsink stream=b ");
  EXPECT_EQ(filled_launch("fakesrc ! fakesink", {}), "fakesrc ! fakesink");
}

}  // namespace
}  // namespace reel
