#include "events/schedule.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <string>

#include <fmt/format.h>

#include <reel/base/error.hpp>

namespace record {
namespace {

constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr int kDay = 24 * 60, kWeek = 7 * kDay;  // minutes
constexpr std::int64_t kSecond_ns = 1'000'000'000;

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw reel::Error(
      reel::ErrorCode::bad_config,
      fmt::format("schedule: \"{}\": {}. It is \"DAYS TIMES\", such as \"mon-fri 08:00-18:00\", "
                  "\"sat,sun 10:00-12:00,14:00-16:00\" or \"daily 22:00-06:00\"",
                  text, why));
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

int day_from(std::string_view text, std::string_view word) {
  const auto found = std::find(kDays.begin(), kDays.end(), word);
  if (found == kDays.end())
    refuse(text, fmt::format("\"{}\" is none of mon, tue, wed, thu, fri, sat, sun, daily", word));
  return static_cast<int>(found - kDays.begin());
}

std::vector<int> days_from(std::string_view text, std::string_view words) {
  if (words == "daily") words = "mon-sun";
  std::vector<int> days;
  for (const std::string_view part : split(words, ',')) {
    const auto ends = split(part, '-');
    if (ends.size() > 2) refuse(text, fmt::format("\"{}\" is no range of days", part));
    const int first = day_from(text, ends.front()), last = day_from(text, ends.back());
    for (int day = first;; day = (day + 1) % 7) {
      days.push_back(day);
      if (day == last) break;
    }
  }
  return days;
}

// "08:30" in minutes.
int time_from(std::string_view text, std::string_view word) {
  const auto digit = [&](std::size_t i) { return word[i] >= '0' && word[i] <= '9'; };
  if (word.size() != 5 || word[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4))
    refuse(text, fmt::format("\"{}\" is no time of day (00:00 to 24:00)", word));
  const int hour = (word[0] - '0') * 10 + word[1] - '0', minute = (word[3] - '0') * 10 + word[4] - '0';
  if (minute > 59 || hour * 60 + minute > kDay)
    refuse(text, fmt::format("\"{}\" is no time of day (00:00 to 24:00)", word));
  return hour * 60 + minute;
}

}  // namespace

Schedule::Schedule(std::string_view text) {
  if (text.empty()) return;
  for (const std::string_view part : split(text, ';')) {
    const std::size_t begin = part.find_first_not_of(' ');
    add(begin == std::string_view::npos ? part : part.substr(begin));
  }
}

void Schedule::add(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) refuse(text, "days and times are two words");
  const std::vector<int> days = days_from(text, text.substr(0, space));
  for (const std::string_view times : split(text.substr(space + 1), ',')) {
    const auto ends = split(times, '-');
    if (ends.size() != 2) refuse(text, fmt::format("\"{}\" is no range of times", times));
    const int begin = time_from(text, ends[0]), end = time_from(text, ends[1]);
    if (begin == end) refuse(text, fmt::format("\"{}\" begins where it ends", times));
    for (const int day : days)
      spans_.push_back({day * kDay + begin, day * kDay + end + (end < begin ? kDay : 0)});
  }
}

bool Schedule::active(std::int64_t utc_ns) const {
  if (spans_.empty()) return true;
  const std::time_t seconds = utc_ns / kSecond_ns - (utc_ns % kSecond_ns < 0 ? 1 : 0);
  std::tm local{};
  if (::localtime_r(&seconds, &local) == nullptr) return true;  // a year beyond all: rather too much
  const int minute = ((local.tm_wday + 6) % 7) * kDay + local.tm_hour * 60 + local.tm_min;
  return std::any_of(spans_.begin(), spans_.end(), [&](const Span& span) {
    return (minute >= span.begin && minute < span.end) || minute + kWeek < span.end;
  });
}

}  // namespace record
