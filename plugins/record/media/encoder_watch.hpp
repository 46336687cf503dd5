// Tells an encoder (or muxer) that hangs from one that is slow, or has nothing to do. Pure; not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>

namespace record {

class EncoderWatch {
 public:
  explicit EncoderWatch(std::int64_t timeout_ns) noexcept : timeout_ns_(timeout_ns) {}

  /// Called again and again. `owes`: it was given something that it should have taken, or should have made
  /// something of. `moves` changes when it does. True once it owes for the whole timeout without a move.
  bool hangs(bool owes, std::uint64_t moves, std::int64_t now_ns) noexcept {
    if (!owes || moves != moves_) still_ns_ = 0;
    // A process that was stopped itself has not waited all that time.
    else if (looked_ns_ != 0)
      still_ns_ += std::min(now_ns - looked_ns_, kMostBetween_ns);
    moves_ = moves;
    looked_ns_ = now_ns;
    return still_ns_ >= timeout_ns_;
  }

 private:
  static constexpr std::int64_t kMostBetween_ns = 500'000'000;

  std::int64_t timeout_ns_;
  std::int64_t still_ns_ = 0;   // it has owed for so long
  std::int64_t looked_ns_ = 0;  // 0: never
  std::uint64_t moves_ = 0;
};

}  // namespace record
