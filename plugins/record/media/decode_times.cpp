#include "decode_times.hpp"

#include <algorithm>
#include <functional>

namespace record {

namespace {

constexpr std::size_t kMostDepth = 16;  // of H.264 and H.265 (max_num_reorder_frames)

}  // namespace

std::int64_t DecodeTimes::given(std::int64_t decode_ns) {
  last_ns_ = last_ns_ ? std::max(decode_ns, *last_ns_ + 1) : decode_ns;
  return *last_ns_;
}

// With `depth_` pictures that may come too early, as many of the latest times do not say what is to be
// decoded now: the next one does.
std::int64_t DecodeTimes::next(std::int64_t time_ns) {
  const auto place = std::lower_bound(latest_.begin(), latest_.end(), time_ns, std::greater<>());
  depth_ = std::min(kMostDepth, std::max(depth_, static_cast<std::size_t>(place - latest_.begin())));
  latest_.insert(place, time_ns);
  if (latest_.size() > kMostDepth + 1) latest_.pop_back();
  return given(latest_[std::min(depth_, latest_.size() - 1)]);
}

}  // namespace record
