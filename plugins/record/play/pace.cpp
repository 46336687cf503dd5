#include "play/pace.hpp"

#include <algorithm>

namespace record {

std::int64_t Pace::due_ns(std::int64_t media_ns, std::int64_t now_ns) noexcept {
  if (speed_ <= 0) return now_ns;
  if (!begun_) {
    begun_ = true;
    start_ns_ = now_ns;
    first_ns_ = before_ns_ = media_ns;
  }
  const std::int64_t pause_ns = media_ns - before_ns_;
  if (skip_gaps_ns_ > 0 && pause_ns > skip_gaps_ns_) first_ns_ += pause_ns - skip_gaps_ns_;
  before_ns_ = std::max(before_ns_, media_ns);
  return start_ns_ + static_cast<std::int64_t>(static_cast<double>(media_ns - first_ns_) / speed_);
}

}  // namespace record
