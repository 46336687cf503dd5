// What was lost and is not yet in the manifest of a segment. Manifests are written now and then: until then
// it is beside the facts of the frame that came after it, for the case of a kill. Called by the recorder's
// thread. Single-thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/segment.hpp"

namespace record {

class GapBook {
 public:
  /// What is added is added to `copy` as well: for files that have the same frames once more.
  explicit GapBook(GapBook* copy = nullptr) noexcept : copy_(copy) {}

  /// One that continues the last of its stream, for the same reason, becomes a part of it.
  /// Of those that nobody takes the newest ten thousand are kept.
  void add(Gap gap);
  /// Those that begin before `end_ns`: for the segment that ends there. They are not kept.
  [[nodiscard]] std::vector<Gap> take_before(std::int64_t end_ns);

  /// The same, and they are kept.
  [[nodiscard]] std::vector<Gap> before(std::int64_t end_ns) const;

  /// Those of this stream that begin before its frame at `media_ns` or with it and were
  /// neither taken nor asked for here before.
  [[nodiscard]] std::vector<Gap> untold(const std::string& stream, std::int64_t media_ns);
  /// Of those that end before, no file is to tell.
  void forget_untold(std::int64_t end_ns);

 private:
  GapBook* copy_;
  std::vector<Gap> gaps_;
  std::vector<Gap> untold_;
};

}  // namespace record
