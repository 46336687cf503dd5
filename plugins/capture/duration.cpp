#include "duration.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include <reel/base/error.hpp>

namespace capture {

std::int64_t duration_ms(const std::string& option, const std::string& text) {
  constexpr std::array<std::pair<std::string_view, double>, 5> kUnits{
      {{"", 1e3}, {"ms", 1}, {"s", 1e3}, {"min", 60e3}, {"h", 3600e3}}};
  constexpr double kMost_ms = 24 * 3600e3;
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc()) {
    const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
    for (const auto& [name, factor] : kUnits)
      if (unit == name && value >= 0 && value * factor <= kMost_ms) return std::llround(value * factor);
  }
  throw reel::Error(
      reel::ErrorCode::bad_config,
      "the option '" + option + "' is \"" + text +
          "\", and must be a time from 0 to 24h: a number of seconds, or one with ms, s, min or h");
}

}  // namespace capture
