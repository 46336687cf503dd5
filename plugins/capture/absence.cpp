#include "absence.hpp"

#include <cstdio>

#include <reel/base/log.hpp>

namespace capture {

namespace {

constexpr std::int64_t kTellAgain_ns = 60'000'000'000;

std::string seconds(std::int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(ns) / 1e9);
  return text;
}

}  // namespace

void Absence::failed(const std::string& why, std::int64_t delay_ms, std::int64_t now_ns) {
  if (since_ns_ == 0) since_ns_ = now_ns;
  ++tries_;
  if (why == why_ && now_ns - told_ns_ < kTellAgain_ns) return;
  const bool again = why == why_;
  why_ = why;
  told_ns_ = now_ns;
  reel::log_warning(
      why +
      (again ? "; still so after " + seconds(now_ns - since_ns_) + " and " + std::to_string(tries_) + " tries"
             : "; trying again in " + seconds(delay_ms * 1'000'000) + ", then less and less often"));
}

void Absence::ended(std::int64_t now_ns) {
  if (since_ns_ == 0) return;
  reel::log_info("\"" + source_ + "\": there again after " + seconds(now_ns - since_ns_) + " (" +
                 std::to_string(tries_) + (tries_ == 1 ? " try)" : " tries)"));
  since_ns_ = told_ns_ = 0;
  tries_ = 0;
  why_.clear();
}

}  // namespace capture
