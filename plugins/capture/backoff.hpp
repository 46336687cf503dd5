// How long to wait before a source is tried again: twice as long each time, give or take a quarter, so that
// many stages do not come back at the same moment. Single-thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

namespace capture {

class Backoff {
 public:
  /// REQUIRES: 0 <= least_ms <= most_ms.
  Backoff(std::int64_t least_ms, std::int64_t most_ms, std::uint32_t seed = std::random_device{}())
      : least_ms_(least_ms), most_ms_(most_ms), next_ms_(least_ms), random_(seed) {}

  [[nodiscard]] std::int64_t next_ms() {
    const double share = std::uniform_real_distribution<double>(0.75, 1.25)(random_);
    const auto delay_ms = static_cast<std::int64_t>(static_cast<double>(next_ms_) * share);
    next_ms_ = std::min(most_ms_, std::max<std::int64_t>(next_ms_, 1) * 2);
    return std::min(delay_ms, most_ms_);
  }
  /// It was there.
  void reset() noexcept { next_ms_ = least_ms_; }

 private:
  std::int64_t least_ms_, most_ms_, next_ms_;
  std::minstd_rand random_;
};

}  // namespace capture
