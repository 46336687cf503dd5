// Gaps that manifests and facts tell of, each once: two may tell of the same one, or of a part of it. Of
// those that are parts of others only the others are kept. A value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catalog/segment.hpp"

namespace record {

class ToldGaps {
 public:
  void add(const std::vector<Gap>& gaps);
  void add(const Gap& gap);
  /// It, or one that it is a part of.
  [[nodiscard]] bool has(const Gap& gap) const;
  /// Once for each that is kept: it is kept no more. nullopt: it is a part of another, or was taken.
  [[nodiscard]] std::optional<Gap> take(const Gap& gap);
  /// How many of this stream are in those that begin at `media_ns` or later.
  [[nodiscard]] std::uint64_t frames_from(const std::string& stream, std::int64_t media_ns) const;

 private:
  /// By their begin; none is a part of another, so that they are in the order of their ends as well.
  using ByBegin = std::map<std::int64_t, Gap>;
  [[nodiscard]] static std::pair<std::string, std::string> key_of(const Gap& gap) {
    return {gap.stream, gap.reason};
  }
  [[nodiscard]] const Gap* whole_of(const Gap& gap) const;

  std::map<std::pair<std::string, std::string>, ByBegin> gaps_;  // by stream and reason
};

}  // namespace record
