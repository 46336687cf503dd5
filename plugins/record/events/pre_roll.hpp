// The encoded units of the last seconds, for files that begin before their event. Always begins at a key
// frame of the reference video, whole groups of pictures are dropped; sound goes along. Pure; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "media/unit.hpp"

namespace record {

struct PreRollLimits {
  std::int64_t length_ns = 5'000'000'000;  // at least so much is kept, from the key frame at or before it
  std::uint64_t bytes = 64'000'000;        // never more than this, so that it may be less
};

class PreRoll {
 public:
  explicit PreRoll(PreRollLimits limits) noexcept : limits_(limits) {}

  /// The track whose key frames count; nullopt: there is no video, and every unit is one.
  void set_reference(std::optional<std::size_t> track) noexcept { reference_ = track; }
  void push(const Unit& unit);
  /// Takes out the groups from the last one that begins at or before `from_ns` on (from the first one where
  /// all are later), with the units of other tracks from there on; in the order in which they came. The rest
  /// is forgotten.
  [[nodiscard]] std::vector<Unit> take(std::int64_t from_ns);
  void clear() noexcept;

  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t units() const noexcept { return units_.size(); }
  /// Of the first key frame in it; nullopt when it is empty.
  [[nodiscard]] std::optional<std::int64_t> begins_ns() const noexcept;
  /// Groups that had to go before their time because `bytes` was reached.
  [[nodiscard]] std::uint64_t cut_short() const noexcept { return cut_short_; }

 private:
  [[nodiscard]] bool of_reference(const Unit& unit) const noexcept;
  void trim();
  void drop_before(std::int64_t key_ns);

  PreRollLimits limits_;
  std::optional<std::size_t> reference_{};
  std::deque<Unit> units_;
  std::deque<std::int64_t> keys_;  // times of the key frames in it
  std::uint64_t bytes_ = 0;
  std::int64_t last_ns_ = 0;  // of the reference
  std::uint64_t cut_short_ = 0;
};

}  // namespace record
