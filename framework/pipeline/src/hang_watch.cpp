#include "hang_watch.hpp"

#include <fmt/format.h>

namespace reel {
namespace {

constexpr std::int64_t kTellHungMs = 10'000;

}  // namespace

std::optional<HangWatch::Finding> HangWatch::look(std::size_t stage, std::int64_t busy_ms, int limit_ms) {
  if (told_.size() <= stage) told_.resize(stage + 1);
  const bool hangs = busy_ms >= (limit_ms > 0 ? limit_ms : kTellHungMs);
  const bool told = told_[stage];
  told_[stage] = hangs;
  if (!hangs || told) return std::nullopt;
  const double busy_s = static_cast<double>(busy_ms) / 1000;
  if (limit_ms > 0)
    return Finding{LogLevel::error, fmt::format("hangs: at work on one frame for {:.1f} s: killed", busy_s),
                   true};
  return Finding{
      LogLevel::warning,
      fmt::format("hangs: at work on one frame for {:.1f} s; a hang_timeout would have it restarted", busy_s),
      false};
}

}  // namespace reel
