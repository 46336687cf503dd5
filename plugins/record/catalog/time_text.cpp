// Times as people write and read them: part of segment_name.hpp.
#include "catalog/segment_name.hpp"

#include <array>
#include <charconv>
#include <ctime>

#include <fmt/format.h>

#include <reel/base/quantity.hpp>

namespace record {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMillisecond = 1'000'000;
// So that nanoseconds fit in 64 bits.
constexpr int kFirstYear = 1970, kLastYear = 2261;

std::int64_t floor_div(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

/// Takes a text apart from its front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool done() const { return rest_.empty(); }
  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Exactly so many digits, from `least` to `most`.
  bool number(std::size_t digits, int least, int most, int& value) {
    if (rest_.size() < digits) return false;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + digits, value);
    if (error != std::errc() || end != rest_.data() + digits || rest_.front() == '-') return false;
    rest_.remove_prefix(digits);
    return value >= least && value <= most;
  }
  /// ".345", up to nine digits, or nothing.
  bool fraction(std::int64_t& nanoseconds) {
    if (!take('.')) return true;
    std::int64_t unit = kSecond;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1)) {
      unit /= 10;
      nanoseconds += unit * (rest_.front() - '0');
    }
    return unit != kSecond;
  }

 private:
  std::string_view rest_;
};

struct Moment {
  std::tm parts{};
  std::int64_t nanoseconds = 0;
};

bool scan_date(Scanner& scan, bool dashes, std::tm& parts) {
  int year = 0, month = 0;
  const bool fine = scan.number(4, kFirstYear, kLastYear, year) && (!dashes || scan.take('-')) &&
                    scan.number(2, 1, 12, month) && (!dashes || scan.take('-')) &&
                    scan.number(2, 1, 31, parts.tm_mday);
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  return fine;
}

bool scan_clock(Scanner& scan, bool colons, Moment& moment) {
  if (!scan.number(2, 0, 23, moment.parts.tm_hour) || (colons && !scan.take(':')) ||
      !scan.number(2, 0, 59, moment.parts.tm_min))
    return false;
  if (colons && !scan.take(':')) return true;  // without seconds
  return scan.number(2, 0, 60, moment.parts.tm_sec) && scan.fraction(moment.nanoseconds);
}

/// "Z", "+01:00": seconds that UTC is behind.
bool scan_zone(Scanner& scan, std::int64_t& offset_s) {
  offset_s = 0;
  if (scan.take('Z')) return true;
  const bool minus = scan.take('-');
  int hours = 0, minutes = 0;
  if ((!minus && !scan.take('+')) || !scan.number(2, 0, 23, hours)) return false;
  scan.take(':');
  if (!scan.number(2, 0, 59, minutes)) return false;
  offset_s = (minus ? -1 : 1) * (hours * 3600 + minutes * 60);
  return true;
}

/// Nullopt for the 31st of a month that has 30 days.
template <class Make>
std::optional<std::int64_t> made(const Moment& moment, Make make) {
  std::tm parts = moment.parts;
  parts.tm_isdst = -1;
  const int day = parts.tm_mday;
  const std::time_t seconds = make(&parts);
  if (parts.tm_mday != day && moment.parts.tm_hour < 23) return std::nullopt;
  return std::int64_t{seconds} * kSecond + moment.nanoseconds;
}

std::optional<std::int64_t> dated(std::string_view text, bool dashes) {
  Scanner scan(text);
  Moment moment;
  if (!scan_date(scan, dashes, moment.parts)) return std::nullopt;
  if (scan.done() && dashes) return made(moment, std::mktime);
  if ((!scan.take('T') && !scan.take(' ')) || !scan_clock(scan, dashes, moment)) return std::nullopt;
  if (scan.done()) return made(moment, std::mktime);
  std::int64_t offset_s = 0;
  if (!scan_zone(scan, offset_s) || !scan.done()) return std::nullopt;
  const auto utc = made(moment, ::timegm);
  return utc ? std::optional(*utc - offset_s * kSecond) : std::nullopt;
}

std::tm local_parts(std::int64_t utc_ns) {
  const std::time_t seconds = floor_div(utc_ns, kSecond);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return parts;
}

std::optional<std::int64_t> today_at(std::string_view text, std::int64_t now_utc_ns) {
  Scanner scan(text);
  Moment moment;
  if (!scan_clock(scan, true, moment) || !scan.done()) return std::nullopt;
  const std::tm today = local_parts(now_utc_ns);
  moment.parts.tm_year = today.tm_year;
  moment.parts.tm_mon = today.tm_mon;
  moment.parts.tm_mday = today.tm_mday;
  return made(moment, std::mktime);
}

}  // namespace

std::string utc_text(std::int64_t utc_ns) {
  const std::time_t seconds = floor_div(utc_ns, kSecond);
  const std::int64_t milliseconds = floor_div(utc_ns, kMillisecond) - seconds * 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, milliseconds);
}

std::string local_text(std::int64_t utc_ns) {
  const std::tm parts = local_parts(utc_ns);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::optional<std::int64_t> time_from(std::string_view text, std::int64_t now_utc_ns) {
  if (text == "now") return now_utc_ns;
  if (text.starts_with('-')) {
    const std::optional<std::int64_t> before = reel::duration_from(text.substr(1));
    if (!before || *before > now_utc_ns) return std::nullopt;
    return now_utc_ns - *before;
  }
  for (const auto& read : {dated(text, true), dated(text, false), today_at(text, now_utc_ns)}) {
    if (read) return read;
  }
  return std::nullopt;
}

}  // namespace record
