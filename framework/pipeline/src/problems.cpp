#include "problems.hpp"

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>

namespace reel {
namespace {

constexpr std::size_t kMostShown = 20;

}  // namespace

void Problems::throw_if_any() const {
  if (found_.empty()) return;
  std::string message = found_.front().second;
  for (std::size_t i = 1; i < found_.size() && i < kMostShown; ++i)
    message += fmt::format("\n{}: {}", found_[i].first, found_[i].second);
  if (found_.size() > kMostShown) message += fmt::format("\nand {} more", found_.size() - kMostShown);
  throw Error(ErrorCode::bad_config, message, found_.front().first);
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& names) {
  const auto nearest = nearest_name(word, names);
  return nearest ? fmt::format("; did you mean '{}'?", *nearest) : std::string();
}

std::string join_comma(const std::vector<std::string>& items) {
  return items.empty() ? std::string("none") : fmt::format("{}", fmt::join(items, ", "));
}

}  // namespace reel
