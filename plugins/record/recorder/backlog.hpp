// What was given to files and is not on the disk yet, of all files of a recorder together: muxers take units
// at once and write in threads of their own, so that a disk that is too slow would have its frames wait in
// them without end. The recorder's thread waits here instead, and frames wait in the spool, which has a
// limit.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "media/mux.hpp"

namespace record {

/// Of one file. One thread gives, another writes.
struct FileBacklog {
  std::atomic<std::uint64_t> given{0};    // bytes of units
  std::atomic<std::uint64_t> written{0};  // bytes of the file: of these units and around them
  std::atomic<bool> writing{false};       // now
};

/// Writes as DescriptorSink does, and says so.
class CountedSink final : public DescriptorSink {
 public:
  CountedSink(int descriptor, FileBacklog& backlog) noexcept
      : DescriptorSink(descriptor), backlog_(backlog) {}
  [[nodiscard]] int write(std::uint64_t offset, std::span<const std::byte> bytes) noexcept override;

 private:
  FileBacklog& backlog_;
};

/// Single-thread: the recorder's.
class Backlog {
 public:
  void add(std::weak_ptr<const FileBacklog> file) { files_.push_back(std::move(file)); }
  /// Returns once there is little; or nothing is being written, since a muxer waits for another track; or the
  /// disk has taken nothing for a second.
  void wait();

 private:
  struct Look {
    std::uint64_t waiting = 0, written = 0;
    bool writing = false;
  };
  [[nodiscard]] Look look();

  std::vector<std::weak_ptr<const FileBacklog>> files_;
  std::uint64_t still_ = 0;  // bytes that were written when nothing was any more
};

}  // namespace record
