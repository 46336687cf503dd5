#include <reel/base/quantity.hpp>

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace reel {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 7> kTimeUnits{
    {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"", 1e9}, {"min", 60e9}, {"h", 3600e9}, {"d", 86'400e9}}};
constexpr std::array<Unit, 10> kSizeUnits{{{"", 1},
                                           {"B", 1},
                                           {"kB", 1e3},
                                           {"KiB", 1024},
                                           {"MB", 1e6},
                                           {"MiB", 1048576},
                                           {"GB", 1e9},
                                           {"GiB", 1073741824},
                                           {"TB", 1e12},
                                           {"TiB", 1099511627776}}};

// "1.5 MB" with one of `units`: the number times its factor. Not negative.
template <std::size_t N>
std::optional<double> quantity(std::string_view text, const std::array<Unit, N>& units) noexcept {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const Unit& candidate : units) {
    if (candidate.name == unit) return number * candidate.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> duration_from(std::string_view text) noexcept {
  const auto value = quantity(text, kTimeUnits);
  if (!value || *value > 9.2e18) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(*value));
}

std::optional<std::uint64_t> size_from(std::string_view text) noexcept {
  const auto value = quantity(text, kSizeUnits);
  if (!value || *value > 9e15 || *value != std::floor(*value)) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

std::string duration_text(std::int64_t nanoseconds) {
  const double seconds = static_cast<double>(nanoseconds) / 1e9;
  const double size = std::fabs(seconds);
  if (size < 1e-3) return fmt::format("{:.3g}us", seconds * 1e6);
  if (size < 1) return fmt::format("{:.3g}ms", seconds * 1e3);
  if (size < 60) return fmt::format("{:.3g}s", seconds);
  const std::int64_t whole = std::llround(size);
  const char* sign = seconds < 0 ? "-" : "";
  if (whole < 3600)
    return whole % 60 == 0 ? fmt::format("{}{}min", sign, whole / 60)
                           : fmt::format("{}{}min {}s", sign, whole / 60, whole % 60);
  if (whole < 86'400)
    return whole / 60 % 60 == 0 ? fmt::format("{}{}h", sign, whole / 3600)
                                : fmt::format("{}{}h {}min", sign, whole / 3600, whole / 60 % 60);
  return whole / 3600 % 24 == 0 ? fmt::format("{}{}d", sign, whole / 86'400)
                                : fmt::format("{}{}d {}h", sign, whole / 86'400, whole / 3600 % 24);
}

}  // namespace reel
