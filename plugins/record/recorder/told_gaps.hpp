// Gaps that manifests tell of, each once: two manifests may tell of the same one, or of a part of it. A
// value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/segment.hpp"

namespace record {

class ToldGaps {
 public:
  void add(const std::vector<Gap>& gaps);
  /// It, or one that it is a part of.
  [[nodiscard]] bool has(const Gap& gap) const;
  /// How many of this stream are in those that begin at `media_ns` or later.
  [[nodiscard]] std::uint64_t frames_from(const std::string& stream, std::int64_t media_ns) const;

 private:
  std::vector<Gap> gaps_;
};

}  // namespace record
