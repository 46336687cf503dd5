// The manifest: nothing of a segment is lost in it, and what is wrong in one is named.
#include <limits>

#include <nlohmann/json.hpp>
#include <reel_test/expect_error.hpp>

#include "catalog_fixture.hpp"

namespace {

using namespace record;
using nlohmann::json;
using record_test::segment;
using reel::ErrorCode;
using reel_test::expect_error;

SegmentRecord full() {
  SegmentRecord record = segment();
  record.path = "2026-11-22/door_20261122T073116.345Z.mkv";
  record.sequence = 7;
  record.boot = "3f0a";
  record.kind = SegmentClass::protected_;
  record.state = SegmentState::repaired;
  record.bytes = std::numeric_limits<std::int64_t>::max();
  record.events = {{"e1", "motion", 6, 8, "a \"cat\"\n", 0.1, 7, "2026-11-22/x.e1.jpg", ""}};
  record.sightings = {{"camera", "detections", "opencv.people", "person", 12, 0.93, 6, 8}};
  return record;
}

TEST(SegmentJson, LosesNothing) {
  const SegmentRecord before = full();
  const SegmentRecord after = segment_from_json(to_json(before), "test");
  EXPECT_EQ(to_json(after), to_json(before));
  EXPECT_EQ(after.path, before.path);
  EXPECT_EQ(after.sequence, 7u);
  EXPECT_EQ(after.kind, SegmentClass::protected_);
  EXPECT_EQ(after.state, SegmentState::repaired);
  EXPECT_EQ(after.bytes, before.bytes);
  EXPECT_EQ(after.start_utc_ns, before.start_utc_ns);
  ASSERT_EQ(after.tracks.size(), 2u);
  EXPECT_EQ(after.tracks[1].first_frame, 225u);
  ASSERT_EQ(after.gaps.size(), 1u);
  EXPECT_EQ(after.gaps[0].reason, "the spool was full");
  ASSERT_EQ(after.clocks.size(), 1u);
  EXPECT_EQ(after.clocks[0].utc_ns, record_test::kMorning);
  EXPECT_EQ(after.boot, "3f0a");
  ASSERT_EQ(after.events.size(), 1u);
  EXPECT_EQ(after.events[0].note, "a \"cat\"\n");
  EXPECT_EQ(after.events[0].score, 0.1);
  ASSERT_EQ(after.sightings.size(), 1u);
  EXPECT_EQ(after.sightings[0].label, "person");
}

TEST(SegmentJson, HoldsWhatIsNoUtf8AndNoNumber) {
  SegmentRecord record = full();
  record.events[0].note = "caf\xe9";
  record.sightings[0].highest = std::numeric_limits<double>::quiet_NaN();
  const SegmentRecord after = segment_from_json(to_json(record), "test");
  EXPECT_THAT(after.events[0].note, testing::StartsWith("caf"));
  EXPECT_EQ(after.sightings[0].highest, 0);
}

TEST(SegmentJson, PassesOverFieldsOfLaterPrograms) {
  json object = json::parse(to_json(full()));
  object["colour"] = "blue";
  EXPECT_EQ(segment_from_json(object.dump(), "test").path, full().path);
}

TEST(SegmentJson, NamesTheFieldThatIsWrong) {
  const auto changed = [](const char* pointer, const json& value) {
    json object = json::parse(to_json(full()));
    object[json::json_pointer(pointer)] = value;
    return object.dump();
  };
  const auto refused = [](const std::string& text, std::initializer_list<std::string> words) {
    expect_error(ErrorCode::bad_argument, words, [&] { (void)segment_from_json(text, "x.json"); });
  };
  refused(changed("/bytes", -1), {"x.json", "'bytes'", "from 0"});
  refused(changed("/bytes", "1"), {"'bytes'"});
  refused(changed("/start_ns", 1.5), {"'start_ns'", "whole number"});
  refused(changed("/start_ns", std::numeric_limits<std::uint64_t>::max()), {"'start_ns'"});
  refused(changed("/kind", "sometimes"), {"'kind'", "'sometimes'"});
  refused(changed("/tracks/1/frames", nullptr), {"'tracks[1].frames'"});
  refused(changed("/gaps", json::object()), {"'gaps'", "list"});
  refused(changed("/gaps/0", 3), {"'gaps[0]'", "object"});
  refused(changed("/version", 2), {"version 2", "version 1"});
  json object = json::parse(to_json(full()));
  object.erase("recording");
  refused(object.dump(), {"'recording'", "is missing"});
}

TEST(SegmentJson, RefusesWhatIsNoManifest) {
  for (const char* text : {"", "{", "[]", "null", "\0\0\0", "{}"})
    expect_error(ErrorCode::bad_argument, {"x.json"}, [&] { (void)segment_from_json(text, "x.json"); });
  const std::string whole = to_json(full());
  for (std::size_t length = 0; length + 2 < whole.size(); length += 7)
    expect_error(ErrorCode::bad_argument, {"x.json"},
                 [&] { (void)segment_from_json(whole.substr(0, length), "x.json"); });
}

}  // namespace
