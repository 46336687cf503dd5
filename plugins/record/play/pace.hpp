// When each frame is due. Pure; single-thread.
#pragma once

#include <cstdint>
#include <optional>

namespace record {

class Pace {
 public:
  /// `speed` 1 is real time; 0: at once. Times without any frame that are longer than `skip_gaps_ns` become
  /// that short; 0: they are kept.
  Pace(double speed, std::int64_t skip_gaps_ns) noexcept : speed_(speed), skip_gaps_ns_(skip_gaps_ns) {}

  /// Monotonic time at which the frame of `media_ns` is due; the first is now. Times do not go back.
  [[nodiscard]] std::int64_t due_ns(std::int64_t media_ns, std::int64_t now_ns) noexcept;
  /// The next frame is a first one again.
  void restart() noexcept { begun_ = false; }

 private:
  const double speed_;
  const std::int64_t skip_gaps_ns_;
  bool begun_ = false;
  std::int64_t start_ns_ = 0;   // monotonic
  std::int64_t first_ns_ = 0;   // media time at `start_ns_`, moved on by the gaps that were skipped
  std::int64_t before_ns_ = 0;  // the latest frame's
};

}  // namespace record
