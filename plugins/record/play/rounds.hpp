// A recording again and again: times and numbers of each round go on behind those of the one before. Pure;
// single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "play/lane.hpp"

namespace record {

class Rounds {
 public:
  explicit Rounds(std::size_t streams) : streams_(streams) {}

  /// The next frame of the round, as the player gives it: moves its times and source numbers.
  void place(std::size_t stream, PlayFrame& frame);
  /// What comes now is the first again. False where this round had no frame.
  [[nodiscard]] bool next();

 private:
  // From the first to the end of the last.
  struct Span {
    std::int64_t first = 0, end = 0;
    bool any = false;
    void add(std::int64_t from, std::int64_t to) noexcept;
    [[nodiscard]] std::int64_t length() const noexcept { return any ? end - first : 0; }
  };
  struct Stream {
    Span media, pts, numbers;    // of this round, as they were recorded
    std::int64_t before_ns = 0;  // media time of the frame before
    std::int64_t step_ns = 0;    // from it to the last: for frames without a duration
    std::uint64_t numbers_shift = 0;
  };
  [[nodiscard]] static std::int64_t length_of(Stream& stream, const PlayFrame& frame);

  std::vector<Stream> streams_;
  std::int64_t media_shift_ns_ = 0;
  std::int64_t times_shift_ns_ = 0;  // of pts, dts and capture times, which need not run as media time does
};

}  // namespace record
