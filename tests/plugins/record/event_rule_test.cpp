// Rules of events as they are written, and what frames say about them.
#include "events/event_rule.hpp"

#include "side_fixture.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>

namespace record {
namespace {

using reel_test::expect_error;
using testing::HasSubstr;

TEST(EventRule, IsReadWithItsTimeAndStream) {
  const EventRule rule = event_rule_from("detections 'red car' 0.6 for 500ms of gate");
  EXPECT_EQ(rule.kind, EventRule::Kind::detections);
  EXPECT_EQ(rule.label, "red car");
  EXPECT_EQ(rule.least, 0.6);
  EXPECT_EQ(rule.for_ns, 500'000'000);
  EXPECT_EQ(rule.stream, "gate");
  EXPECT_EQ(event_rule_from("level -30").least, -30);
  EXPECT_EQ(event_rule_from("  motion   0.02 ").least, 0.02);
}

TEST(EventRule, SaysWhatIsWrongWithOneAndHowItIsWritten) {
  const auto refused = [](const std::string& text, const std::string& why) {
    SCOPED_TRACE(text);
    expect_error(reel::ErrorCode::bad_config, {text, why, "motion 0.02"},
                 [&] { (void)event_rule_from(text); });
  };
  refused("", "no kind");
  refused("noise 3", "\"noise\" is none of");
  refused("motion", "no share");
  refused("motion 2", "\"2\" is no number from 0 to 1");
  refused("motion nan", "\"nan\"");
  refused("detections person", "no score");
  refused("detections 'person 0.5", "no partner");
  refused("level 3", "-200 to 0");
  refused("motion 0.1 for ever", "\"ever\" is not a duration");
  refused("motion 0.1 of", "no stream");
  refused("motion 0.1 then", "\"then\"");
}

TEST(EventRule, TakesTheHighestScoreOfItsLabel) {
  Side side;
  side.detect({{"cat", 0.9F}, {"person", 0.4F}, {"person", 0.7F}});
  const auto person = match(event_rule_from("detections person 0.5"), "a", side.view());
  ASSERT_TRUE(person);
  EXPECT_FLOAT_EQ(static_cast<float>(person->value), 0.7F);
  EXPECT_EQ(person->what, "person 0.70");
  EXPECT_EQ(match(event_rule_from("detections * 0.5"), "a", side.view())->what, "cat 0.90");
  EXPECT_EQ(match(event_rule_from("detections dog 0.5"), "a", side.view())->value, 0);
}

TEST(EventRule, IsNotAskedOfOtherStreamsOrFramesThatSayNothing) {
  Side side;
  side.move(0.3F);
  EXPECT_TRUE(match(event_rule_from("motion 0.1 of a"), "a", side.view()));
  EXPECT_FALSE(match(event_rule_from("motion 0.1 of a"), "b", side.view()));
  EXPECT_FALSE(match(event_rule_from("detections * 0.1"), "a", side.view()));
  EXPECT_FALSE(match(event_rule_from("level -40"), "a", Side().view()));
}

TEST(EventRule, TakesTheLoudestChannel) {
  Side side;
  side.sound({-50, -12.5F});
  EXPECT_EQ(match(event_rule_from("level -40"), "a", side.view())->what, "level -12.5 dBFS");
}

TEST(EventRule, IsNotMisledByScoresThatAreNoNumbers) {
  Side side;
  side.detect({{"person", std::numeric_limits<float>::quiet_NaN()},
               {"person", std::numeric_limits<float>::infinity()}});
  EXPECT_EQ(match(event_rule_from("detections person 0.5"), "a", side.view())->value, 0);
}

}  // namespace
}  // namespace record
