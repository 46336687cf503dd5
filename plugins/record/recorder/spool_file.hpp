// Room on another disk for frames that do not fit into memory: one file without a name, used as a ring, gone
// with its process. Called by Spool: what keeps the books under its lock, what moves bytes without it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <reel/base/unique_fd.hpp>

namespace record {

class SpoolFile {
 public:
  /// `setting` names the option for messages. Throws reel::Error where no file can be made in `directory`.
  SpoolFile(const std::string& directory, std::uint64_t limit_bytes, const std::string& setting);

  // The books. Single-thread.

  [[nodiscard]] bool has_room(std::uint64_t bytes) const noexcept { return place_for(bytes).has_value(); }
  /// Where so many bytes may be put; nullopt where there is no room.
  [[nodiscard]] std::optional<std::uint64_t> reserve(std::uint64_t bytes) noexcept;
  /// Of the oldest that is still in it.
  void release(std::uint64_t offset, std::uint64_t bytes) noexcept;
  /// True once for each time that nothing is left in it: to be emptied.
  [[nodiscard]] bool take_leavings() noexcept;

  // The bytes, of places that are reserved. Thread-safe.

  /// 0, or the errno that they cannot be written for.
  [[nodiscard]] int put(std::uint64_t offset, std::span<const std::byte> bytes) const noexcept;
  /// 0, or the errno that they cannot be read for.
  [[nodiscard]] int get(std::uint64_t offset, std::span<std::byte> bytes) const noexcept;
  /// Gives its room on the disk back. REQUIRES: nothing is put or got meanwhile.
  void empty() const noexcept;

 private:
  [[nodiscard]] std::optional<std::uint64_t> place_for(std::uint64_t bytes) const noexcept;

  reel::UniqueFd file_;
  std::uint64_t limit_;
  std::uint64_t begin_ = 0;  // of the oldest
  std::uint64_t end_ = 0;    // behind the newest
  std::uint64_t pieces_ = 0;
  bool leavings_ = false;
};

}  // namespace record
