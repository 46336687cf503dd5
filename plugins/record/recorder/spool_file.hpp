// Room on another disk for frames that do not fit into memory: one file without a name, used as a ring, gone
// with its process. Called by Spool, under its lock. Single-thread.
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

  /// Where they were put; nullopt where there is no room, in the file or on its disk.
  [[nodiscard]] std::optional<std::uint64_t> put(std::span<const std::byte> bytes) noexcept;
  /// False where they cannot be read again.
  [[nodiscard]] bool get(std::uint64_t offset, std::span<std::byte> bytes) const noexcept;
  /// Of the oldest that is still in it.
  void release(std::uint64_t offset, std::uint64_t bytes) noexcept;

  [[nodiscard]] std::uint64_t used_bytes() const noexcept { return used_; }

 private:
  [[nodiscard]] std::optional<std::uint64_t> place_for(std::uint64_t bytes) const noexcept;

  reel::UniqueFd file_;
  std::uint64_t limit_;
  std::uint64_t begin_ = 0;  // of the oldest
  std::uint64_t end_ = 0;    // behind the newest
  std::uint64_t pieces_ = 0;
  std::uint64_t used_ = 0;
};

}  // namespace record
