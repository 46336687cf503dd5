// Names of files, which are in UTC wherever the machine is, and times as people write them.
#include <cstdlib>
#include <ctime>
#include <set>

#include <reel_test/expect_error.hpp>

#include "catalog_fixture.hpp"

namespace {

using namespace record;
using record_test::kDay;
using record_test::kMorning;
using record_test::kSecond;

/// A time zone for this process, put back when it goes.
class TimeZone {
 public:
  explicit TimeZone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  TimeZone(const TimeZone&) = delete;
  TimeZone& operator=(const TimeZone&) = delete;
  ~TimeZone() {
    ::unsetenv("TZ");
    ::tzset();
  }
};
// As POSIX writes it, so that no data base of time zones is needed: summer time ends on the last Sunday of
// October at 3:00, begins on that of March at 2:00.
constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";

std::int64_t utc(const char* text) {
  return time_from(text, 0).value_or(-1);
}

TEST(SegmentName, IsTheTimeInUtcToTheMillisecond) {
  const TimeZone zone(kBerlin);
  SegmentName name{"door", kMorning + 999'999, false, 1, "mkv", false};
  EXPECT_EQ(to_path(name), "2026-11-22/door_20261122T073116.345Z.mkv");
  name.event = true;
  name.number = 2;
  name.open = true;
  name.extension = "mp4";
  EXPECT_EQ(to_path(name), "2026-11-22/door_20261122T073116.345Z-event-2.open.mp4");
}

TEST(SegmentName, IsReadAsItIsWritten) {
  for (const char* recording : {"door", "a", "front_door_2", "a-event", "x.open", "20261122T073116.345Z"}) {
    for (const bool event : {false, true}) {
      for (const unsigned number : {1u, 2u, 17u}) {
        for (const bool open : {false, true}) {
          const std::string path = to_path({recording, kMorning, event, number, "mkv", open});
          const auto read = segment_name_from(path);
          ASSERT_TRUE(read) << path;
          EXPECT_EQ(to_path(*read), path);
          EXPECT_EQ(read->recording, recording);
          EXPECT_EQ(read->open, open);
        }
      }
    }
  }
}

TEST(SegmentName, OfOtherFilesIsNone) {
  for (const char* path :
       {"", "door.mkv", "door_20261122T073116.345Z", "door_20261122T073116.345Z.json",
        "door_20261122T073116.345Z.frames", "_20261122T073116.345Z.mkv", ".door_20261122T073116.345Z.mkv",
        "door_20261122T073116Z.mkv", "door_20261322T073116.345Z.mkv", "door_20260231T073116.345Z.mkv",
        "door_20261122T073116.345Z-1.mkv", "door_20261122T073116.345Z-events.mkv",
        "door_20261122T073116.345Z-.mkv", "a b_20261122T073116.345Z.mkv", "door_20261122T073116.345Z.e1.jpg"})
    EXPECT_FALSE(segment_name_from(path)) << path;
}

TEST(SegmentName, LeadsToWhatLiesBesideIt) {
  for (const char* path : {"day/x_y.5Z.mkv", "day/x_y.5Z.open.mkv"}) {
    EXPECT_EQ(manifest_path_of(path), "day/x_y.5Z.json");
    EXPECT_EQ(frames_path_of(path), "day/x_y.5Z.frames");
    EXPECT_EQ(open_path_of(path), "day/x_y.5Z.open.mkv");
  }
}

TEST(SegmentName, IsAnotherAndLaterInEachSecondOfTheHourThatComesTwice) {
  const TimeZone zone(kBerlin);
  std::set<std::string> names;
  std::string before;
  // 2026-10-25: from 2:00 to 3:00 in summer time, then again in winter time.
  for (std::int64_t time = utc("2026-10-24T23:30:00Z"); time < utc("2026-10-25T02:30:00Z");
       time += 20 * kSecond) {
    const std::string path = to_path({"door", time, false, 1, "mkv", false});
    EXPECT_TRUE(names.insert(path).second) << path;
    EXPECT_LT(before, path);
    EXPECT_EQ(segment_name_from(path)->utc_ns, time);
    before = path;
  }
  EXPECT_EQ(names.size(), 540u);
}

TEST(SegmentName, OfARecordingIsChecked) {
  for (const char* good : {"door", "Front.Door-2_b", "7"}) check_recording_name(good, "test");
  for (const std::string& bad :
       {std::string(), std::string("../door"), std::string("a/b"), std::string(".hidden"), std::string("-x"),
        std::string("a b"), std::string("caf\xc3\xa9"), std::string(65, 'a')})
    reel_test::expect_error(reel::ErrorCode::bad_argument, {"test", "A-Z"},
                            [&] { check_recording_name(bad, "test"); });
}

TEST(Time, IsReadInUtcAndWithAnOffset) {
  EXPECT_EQ(utc("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(utc("2026-11-22T07:31:16.345Z"), kMorning);
  EXPECT_EQ(utc("2026-11-22 07:31:16.345Z"), kMorning);
  EXPECT_EQ(utc("20261122T073116.345Z"), kMorning);
  EXPECT_EQ(utc("2026-11-22T08:31:16.345+01:00"), kMorning);
  EXPECT_EQ(utc("2026-11-22T02:01:16.345-0530"), kMorning);
  EXPECT_EQ(utc("2026-11-22T07:31Z"), kMorning - 16'345'000'000);
  EXPECT_EQ(utc("2024-02-29T00:00:00Z") + kDay, utc("2024-03-01T00:00:00Z"));
  EXPECT_EQ(utc_text(kMorning), "2026-11-22T07:31:16.345Z");
}

TEST(Time, IsReadAsLocalWhereItSaysNothing) {
  const TimeZone zone(kBerlin);
  EXPECT_EQ(utc("2026-11-22 08:31:16.345"), kMorning);
  EXPECT_EQ(utc("2026-11-22T08:31"), utc("2026-11-22T07:31:00Z"));
  EXPECT_EQ(utc("2026-07-01 12:00"), utc("2026-07-01T10:00:00Z"));
  EXPECT_EQ(utc("2026-11-22"), utc("2026-11-21T23:00:00Z"));
  EXPECT_EQ(time_from("14:03", kMorning), utc("2026-11-22T13:03:00Z"));
  EXPECT_EQ(local_text(kMorning), "2026-11-22 08:31:16");
  // The day on which an hour is left out has 23, the one on which it comes twice 25.
  EXPECT_EQ(utc("2026-03-30") - utc("2026-03-29"), 23 * 3600 * kSecond);
  EXPECT_EQ(utc("2026-10-26") - utc("2026-10-25"), 25 * 3600 * kSecond);
}

TEST(Time, IsReadBeforeNow) {
  EXPECT_EQ(time_from("now", kMorning), kMorning);
  EXPECT_EQ(time_from("-10min", kMorning), kMorning - 600 * kSecond);
  EXPECT_EQ(time_from("-7d", kMorning), kMorning - 7 * kDay);
}

TEST(Time, IsNoneOfTheRest) {
  for (const char* text : {"",
                           "yesterday",
                           "2026",
                           "2026-13-01",
                           "2026-02-30T00:00:00Z",
                           "2026-11-31",
                           "2026-11-22T25:00:00Z",
                           "24:00",
                           "2026-11-22T07:31:16.Z",
                           "2026-11-22T07:31:16.345Zulu",
                           "2026-11-22T",
                           "-",
                           "-ten",
                           "10min",
                           "1960-01-01",
                           "9999-01-01",
                           "-400d-",
                           "+1h",
                           "2026-11-22T07:31:16+25:00",
                           "202-11-22",
                           "2026--1-22"})
    EXPECT_FALSE(time_from(text, kMorning)) << text;
}

}  // namespace
