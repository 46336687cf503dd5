// Calls from outside: what they may say, how many wait, and what is told of events.
#include "events/event_desk.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <reel_test/expect_error.hpp>

namespace record {
namespace {

using reel_test::expect_error;

TEST(EventDesk, ReadsACall) {
  const EventCall call = event_call_from(R"({"kind": "door-1", "note": "Größe", "duration": "1.5min"})");
  EXPECT_EQ(call.kind, "door-1");
  EXPECT_EQ(call.note, "Größe");
  EXPECT_EQ(call.duration_ns, 90'000'000'000);
  EXPECT_FALSE(call.stop);
  EXPECT_EQ(event_call_from(R"({"duration": 2.5})").duration_ns, 2'500'000'000);
  EXPECT_EQ(event_call_from("{}").kind, "call");
  EXPECT_EQ(event_call_from(R"({"stop": true})").kind, "") << "every kind";
  EXPECT_EQ(event_call_from(R"({"stop": true, "kind": "door"})").kind, "door");
}

TEST(EventDesk, RefusesWhatIsNoCall) {
  const auto refused = [](const std::string& text, const std::string& why) {
    SCOPED_TRACE(text);
    expect_error(reel::ErrorCode::bad_argument, {why}, [&] { (void)event_call_from(text); });
  };
  refused("", "no JSON object");
  refused("[1]", "no JSON object");
  refused("{\"kind\": \"a\"", "no JSON object");
  refused("{\"note\": \"\xff\"}", "no JSON object");
  refused(std::string(8000, '['), "no JSON object");
  refused(R"({"kind": 3})", "\"kind\" is no text");
  refused(R"({"kind": "../etc"})", "cannot be a kind");
  refused(R"({"kind": ""})", "cannot be a kind");
  refused(R"({"note": null})", "\"note\" is no text");
  refused(R"({"note": ")" + std::string(2000, 'x') + "\"}", "2000 bytes, at most 1000");
  refused(R"({"duration": -1})", "\"duration\" is not");
  refused(R"({"duration": true})", "\"duration\" is not");
  refused(R"({"duration": "soon"})", "\"duration\" is not");
  refused(R"({"duration": "2d"})", "longer than a day");
  refused(R"({"length": 3})", "nothing else");
  refused(R"({"stop": "yes"})", "nothing else");
}

TEST(EventDesk, KeepsCallsInOrderAndNotMoreThanItMay) {
  int rung = 0;
  EventDesk desk("door", [&] { ++rung; });
  for (std::size_t i = 0; i < EventDesk::kMostCalls; ++i)
    ASSERT_TRUE(desk.post({}, static_cast<std::int64_t>(i)));
  EXPECT_FALSE(desk.post({}, 0));
  const auto taken = desk.take();
  ASSERT_EQ(taken.size(), EventDesk::kMostCalls);
  EXPECT_EQ(taken[3].at_ns, 3);
  EXPECT_TRUE(desk.take().empty());
  EXPECT_EQ(rung, static_cast<int>(EventDesk::kMostCalls));
  EXPECT_TRUE(desk.post({}, 0));
}

TEST(EventDesk, TellsOfTheNewestEventsInWallClockTime) {
  EventDesk desk("door");
  Event event;
  event.id = "1-motion";
  event.kind = "motion";
  event.note = "caf\xe9";  // a label of another encoding
  event.start_ns = 1'500'000'000;
  event.end_ns = 3'000'000'000;
  desk.note({EventChange::What::begun, event}, 1'000'000'000'000'000'000);
  auto told = nlohmann::json::parse(desk.events_json());
  EXPECT_EQ(told["recording"], "door");
  EXPECT_EQ(told["events"][0]["going_on"], true);
  desk.note({EventChange::What::ended, event}, 1'000'000'000'000'000'000);
  told = nlohmann::json::parse(desk.events_json());
  ASSERT_EQ(told["events"].size(), 1U);
  EXPECT_EQ(told["events"][0]["going_on"], false);
  EXPECT_EQ(told["events"][0]["start"], "2001-09-09T01:46:41.500Z");
  for (int i = 2; i < 300; ++i) {
    event.id = std::to_string(i);
    desk.note({EventChange::What::ended, event}, 0);
  }
  told = nlohmann::json::parse(desk.events_json());
  EXPECT_EQ(told["events"].size(), EventDesk::kMostEvents);
  EXPECT_EQ(told["events"][0]["id"], "299");
}

TEST(EventDesk, ForgetsNoneThatGoesOn) {
  EventDesk desk("door");
  Event event;
  event.id = "1-long";
  desk.note({EventChange::What::begun, event}, 0);
  for (int i = 2; i < 300; ++i) {
    event.id = std::to_string(i);
    desk.note({EventChange::What::ended, event}, 0);
  }
  auto told = nlohmann::json::parse(desk.events_json());
  ASSERT_EQ(told["events"].size(), EventDesk::kMostEvents);
  EXPECT_EQ(told["events"].back()["id"], "1-long");
  EXPECT_EQ(told["events"].back()["going_on"], true);
}

}  // namespace
}  // namespace record
