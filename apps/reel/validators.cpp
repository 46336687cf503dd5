#include "validators.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <system_error>

#include <fmt/core.h>

namespace {

// The whole text as a number, or nothing.
template <typename Number>
std::optional<Number> parsed(const std::string& text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

template <typename Number>
CLI::Validator within(Number least, Number most, const char* what) {
  return {[=](const std::string& text) -> std::string {
            const std::optional<Number> number = parsed<Number>(text);
            if (number && *number >= least && *number <= most) return {};
            return fmt::format("'{}' is no {} from {} to {}", text, what, least, most);
          },
          fmt::format("{} to {}", least, most)};
}

}  // namespace

CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
  return within(least, most, "whole number");
}

CLI::Validator seconds(double least, double most) {
  return within(least, most, "number of seconds");
}
