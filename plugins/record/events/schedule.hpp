// When there is something to record: "mon-fri 08:00-18:00", in local time as clocks on the wall show it, so
// that a change of daylight saving time moves nothing. Pure but for the time zone ($TZ); thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace record {

class Schedule {
 public:
  /// Always.
  Schedule() = default;
  /// `DAYS TIMES`, several with ';': days are "mon", "mon-fri", "sat,sun" or "daily"; times "08:00-18:00",
  /// several with commas. "22:00-06:00" goes on into the next day; "00:00-24:00" is the whole of it. Throws
  /// Error{bad_config} naming what is wrong. Empty: always.
  explicit Schedule(std::string_view text);

  [[nodiscard]] bool active(std::int64_t utc_ns) const;
  [[nodiscard]] bool always() const noexcept { return spans_.empty(); }

 private:
  struct Span {
    int begin = 0;  // minutes since Monday 00:00
    int end = 0;    // may lie in the next week
  };
  void add(std::string_view text);
  std::vector<Span> spans_;
};

}  // namespace record
