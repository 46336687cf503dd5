// Decoded sound, cut again into the blocks that were published. Counts in samples: what the blocks say of
// their times decides where sound begins, what they last decides how many samples each has. Pure;
// single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include <reel/format/audio_format.hpp>

namespace record {

class SoundCutter {
 public:
  /// Times that are off by less are the file's rounding, or the drift that its recorder evened out.
  static constexpr std::int64_t kSlack_ns = 40'000'000;

  explicit SoundCutter(const reel::AudioFormat& format) : format_(format) {}
  [[nodiscard]] const reel::AudioFormat& format() const noexcept { return format_; }

  /// Sound that begins at `time_ns`: next to what was pushed before, or behind a gap.
  void push(std::int64_t time_ns, std::span<const std::byte> samples);

  enum class Taken {
    block,  // all of it, or as much as there is before a gap
    more,   // it is not all there yet
    lost    // what it would be of was never pushed
  };
  /// The block of `samples` sample frames at `time_ns`; blocks come in order. `finished`: no more is pushed.
  [[nodiscard]] Taken take(std::int64_t time_ns, std::uint64_t samples, bool finished,
                           std::vector<std::byte>& block);

 private:
  struct Run {
    std::int64_t start_ns = 0;
    std::vector<std::byte> bytes;
  };
  [[nodiscard]] std::int64_t duration_ns(std::size_t bytes) const noexcept;
  [[nodiscard]] std::size_t bytes_in(std::int64_t duration_ns) const noexcept;
  void drop(std::size_t bytes);

  reel::AudioFormat format_;
  std::deque<Run> runs_;  // without gaps, each
  bool aligned_ = false;  // a block was cut from the first: the next begins where that one ended
};

}  // namespace record
