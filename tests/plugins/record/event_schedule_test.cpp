// Schedules in local time, in time zones with and without daylight saving.
#include "events/schedule.hpp"

#include <cstdlib>
#include <ctime>
#include <string>

#include <gtest/gtest.h>
#include <reel_test/expect_error.hpp>

namespace record {
namespace {

using reel_test::expect_error;

class TimeZone {
 public:
  explicit TimeZone(const char* zone) {
    const char* before = std::getenv("TZ");
    was_set_ = before != nullptr;
    if (was_set_) before_ = before;
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  TimeZone(const TimeZone&) = delete;
  TimeZone& operator=(const TimeZone&) = delete;
  ~TimeZone() {
    if (was_set_)
      ::setenv("TZ", before_.c_str(), 1);
    else
      ::unsetenv("TZ");
    ::tzset();
  }

 private:
  bool was_set_ = false;
  std::string before_;
};

// Spelled out, so that no database of time zones is needed: Central Europe.
constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";

std::int64_t utc(int year, int month, int day, int hour, int minute, int second = 0) {
  std::tm time{};
  time.tm_year = year - 1900;
  time.tm_mon = month - 1;
  time.tm_mday = day;
  time.tm_hour = hour;
  time.tm_min = minute;
  time.tm_sec = second;
  return static_cast<std::int64_t>(::timegm(&time)) * 1'000'000'000;
}

TEST(Schedule, IsAlwaysWithoutAny) {
  EXPECT_TRUE(Schedule().active(0));
  EXPECT_TRUE(Schedule("").active(utc(2026, 1, 1, 3, 0)));
}

TEST(Schedule, HoldsFromItsFirstMinuteToBeforeItsLast) {
  const TimeZone zone("UTC0");
  const Schedule schedule("mon-fri 08:00-18:00");
  EXPECT_FALSE(schedule.active(utc(2026, 11, 23, 7, 59, 59)));  // a Monday
  EXPECT_TRUE(schedule.active(utc(2026, 11, 23, 8, 0)));
  EXPECT_TRUE(schedule.active(utc(2026, 11, 27, 17, 59, 59)));
  EXPECT_FALSE(schedule.active(utc(2026, 11, 27, 18, 0)));
  EXPECT_FALSE(schedule.active(utc(2026, 11, 28, 12, 0)));  // Saturday
  EXPECT_FALSE(schedule.active(utc(2026, 11, 29, 12, 0)));
}

TEST(Schedule, GoesOnOverMidnightAndTheEndOfTheWeek) {
  const TimeZone zone("UTC0");
  const Schedule schedule("sun 22:00-06:00");
  EXPECT_TRUE(schedule.active(utc(2026, 11, 22, 23, 0)));  // Sunday
  EXPECT_TRUE(schedule.active(utc(2026, 11, 23, 5, 59)));
  EXPECT_FALSE(schedule.active(utc(2026, 11, 23, 6, 0)));
  EXPECT_FALSE(schedule.active(utc(2026, 11, 22, 5, 0)));
}

TEST(Schedule, TakesSeveralDaysTimesAndTexts) {
  const TimeZone zone("UTC0");
  const Schedule schedule("fri-mon,wed 10:00-12:00,14:00-16:00; daily 00:00-01:00;tue 23:00-24:00");
  EXPECT_TRUE(schedule.active(utc(2026, 11, 23, 11, 0)));
  EXPECT_FALSE(schedule.active(utc(2026, 11, 23, 13, 0)));
  EXPECT_TRUE(schedule.active(utc(2026, 11, 25, 15, 0)));
  EXPECT_FALSE(schedule.active(utc(2026, 11, 24, 15, 0)));  // Tuesday
  EXPECT_TRUE(schedule.active(utc(2026, 11, 24, 23, 59)));
  EXPECT_TRUE(schedule.active(utc(2026, 11, 24, 0, 30)));
}

TEST(Schedule, IsInTheLocalTimeOfTheMoment) {
  const Schedule schedule("daily 08:00-09:00");
  {
    const TimeZone zone(kBerlin);
    EXPECT_TRUE(schedule.active(utc(2026, 1, 15, 7, 30)));
    EXPECT_FALSE(schedule.active(utc(2026, 1, 15, 6, 30)));
    EXPECT_TRUE(schedule.active(utc(2026, 7, 15, 6, 30))) << "summer";
    EXPECT_FALSE(schedule.active(utc(2026, 7, 15, 7, 30)));
  }
  const TimeZone zone("JST-9");
  EXPECT_TRUE(schedule.active(utc(2026, 1, 14, 23, 30)));
}

TEST(Schedule, KeepsToTheWallWhenClocksAreChanged) {
  const TimeZone zone(kBerlin);
  const Schedule schedule("sun 02:30-04:00");
  // 29 March 2026: at 01:00 UTC the wall goes from 02:00 to 03:00.
  EXPECT_FALSE(schedule.active(utc(2026, 3, 29, 0, 59)));
  EXPECT_TRUE(schedule.active(utc(2026, 3, 29, 1, 0)));
  EXPECT_TRUE(schedule.active(utc(2026, 3, 29, 1, 59)));
  EXPECT_FALSE(schedule.active(utc(2026, 3, 29, 2, 0)));
  // 25 October 2026: at 01:00 UTC it goes from 03:00 back to 02:00.
  EXPECT_TRUE(schedule.active(utc(2026, 10, 25, 0, 30)));
  EXPECT_FALSE(schedule.active(utc(2026, 10, 25, 1, 0)));
  EXPECT_TRUE(schedule.active(utc(2026, 10, 25, 1, 30)));
  EXPECT_TRUE(schedule.active(utc(2026, 10, 25, 2, 59)));
  EXPECT_FALSE(schedule.active(utc(2026, 10, 25, 3, 0)));
}

TEST(Schedule, SaysWhatIsWrongWithOne) {
  const auto refused = [](const std::string& text, const std::string& why) {
    SCOPED_TRACE(text);
    expect_error(reel::ErrorCode::bad_config, {why, "mon-fri 08:00-18:00"},
                 [&] { const Schedule schedule(text); });
  };
  refused("always", "two words");
  refused("mon-fri", "two words");
  refused("mo 08:00-18:00", "\"mo\" is none of");
  refused("mon-tue-wed 08:00-18:00", "no range of days");
  refused("mon 8-18", "\"8\" is no time of day");
  refused("mon 08:00", "no range of times");
  refused("mon 08:00-25:00", "\"25:00\"");
  refused("mon 08:60-09:00", "\"08:60\"");
  refused("mon 08:00-08:00", "begins where it ends");
  refused("mon 08:00-09:00;", "two words");
  refused("mon  08:00-09:00", "no time of day");
}

}  // namespace
}  // namespace record
