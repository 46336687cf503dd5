// When pictures are decoded, of a stream that says only when they are shown and may have them in another
// order (B frames). Pure; single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace record {

class DecodeTimes {
 public:
  /// Of the next picture, shown at `time_ns`: later than the one before, and no later than it is shown, once
  /// the stream has shown how far its pictures are apart from their order. The times of a stream in order are
  /// its own.
  [[nodiscard]] std::int64_t next(std::int64_t time_ns);
  /// The same where the stream says it: never before the one before.
  [[nodiscard]] std::int64_t given(std::int64_t decode_ns);

 private:
  std::vector<std::int64_t> latest_;  // of times, the latest first
  std::size_t depth_ = 0;             // how many later ones have come before a picture
  std::optional<std::int64_t> last_ns_;
};

}  // namespace record
