#include "play/sound_cutter.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace record {
namespace {

constexpr double kSecond_ns = 1e9;
constexpr std::int64_t kRounding_ns = 1'500'000;  // of times in files that count in milliseconds

}  // namespace

std::int64_t SoundCutter::duration_ns(std::size_t bytes) const noexcept {
  const auto samples = static_cast<double>(bytes / sample_frame_bytes(format_));
  return std::llround(samples * kSecond_ns / format_.rate_hz);
}

std::size_t SoundCutter::bytes_in(std::int64_t duration_ns) const noexcept {
  const auto samples = std::llround(static_cast<double>(duration_ns) * format_.rate_hz / kSecond_ns);
  return static_cast<std::size_t>(samples) * sample_frame_bytes(format_);
}

void SoundCutter::push(std::int64_t time_ns, std::span<const std::byte> samples) {
  if (!runs_.empty()) {
    Run& last = runs_.back();
    const std::int64_t before_ns = duration_ns(last.bytes.size());
    if (std::llabs(last.start_ns + before_ns - time_ns) <= kSlack_ns) {
      // Where samples and times part slowly, the times are right.
      last.start_ns = time_ns - before_ns;
      last.bytes.insert(last.bytes.end(), samples.begin(), samples.end());
      return;
    }
  }
  runs_.push_back({time_ns, {samples.begin(), samples.end()}});
}

void SoundCutter::drop(std::size_t bytes) {
  Run& run = runs_.front();
  run.start_ns += duration_ns(bytes);
  run.bytes.erase(run.bytes.begin(), run.bytes.begin() + static_cast<std::ptrdiff_t>(bytes));
}

SoundCutter::Taken SoundCutter::take(std::int64_t time_ns, std::uint64_t samples, bool finished,
                                     std::vector<std::byte>& block) {
  const std::size_t wanted = samples * sample_frame_bytes(format_);
  while (!runs_.empty()) {
    Run& run = runs_.front();
    const bool last = runs_.size() == 1 && !finished;  // more of it may come
    const std::int64_t ahead_ns = time_ns - run.start_ns;
    if (aligned_ && std::llabs(ahead_ns) > kSlack_ns) aligned_ = false;
    if (!aligned_) {
      if (ahead_ns < -kRounding_ns) return Taken::lost;
      const std::size_t skipped = ahead_ns > kRounding_ns ? bytes_in(ahead_ns) : 0;
      if (skipped > run.bytes.size()) {
        if (last) return Taken::more;
        runs_.pop_front();
        continue;
      }
      drop(skipped);
      aligned_ = true;
    }
    if (run.bytes.size() < wanted && last) return Taken::more;
    if (run.bytes.size() < wanted && runs_.size() > 1 && runs_[1].start_ns <= time_ns) {
      runs_.pop_front();  // another file has it whole
      aligned_ = false;
      continue;
    }
    const std::size_t taken = std::min(wanted, run.bytes.size());
    block.assign(run.bytes.begin(), run.bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    drop(taken);
    if (taken < wanted) {
      runs_.pop_front();
      aligned_ = false;
    }
    return taken == 0 ? Taken::lost : Taken::block;
  }
  return finished ? Taken::lost : Taken::more;
}

}  // namespace record
