// One piece of memory shared between processes: made and written by one process, mapped read-only by others
// through a descriptor it hands them. Single-thread; the bytes are whatever the layers above make of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <reel/base/unique_fd.hpp>
#include <reel/shm/backend.hpp>

namespace reel {

enum class Seal {
  size,            // can neither shrink nor grow
  size_and_writes  // and nobody can map it writable any more; the maker's own mapping stays writable
                   // (F_SEAL_FUTURE_WRITE)
};

/// A mapping. Unmapped on destruction; not inherited by a child (MADV_DONTFORK).
class SharedSegment {
 public:
  virtual ~SharedSegment() = default;
  SharedSegment(const SharedSegment&) = delete;
  SharedSegment& operator=(const SharedSegment&) = delete;

  [[nodiscard]] virtual std::byte*
  data() noexcept = 0;  // writing to a mapping that was made read-only is a fault
  [[nodiscard]] virtual std::size_t size() const noexcept = 0;

 protected:
  SharedSegment() = default;
};

/// A segment as its maker holds it.
class OwnedSegment : public SharedSegment {
 public:
  /// Applies the seals and returns what is in force afterwards: nullopt when the backend has no seals; `size`
  /// when the kernel has no F_SEAL_FUTURE_WRITE (before Linux 5.1).
  virtual std::optional<Seal> seal(Seal wanted) = 0;
  /// A descriptor for peers, open read-only where the system can reopen it (/proc mounted, or a named
  /// segment). Throws Error.
  [[nodiscard]] virtual UniqueFd share_read_only() const = 0;
  /// A descriptor for one peer that may write too. Throws Error.
  [[nodiscard]] virtual UniqueFd share_writable() const = 0;
};

/// A kind of memory. Stateless; obtained from segment_backend().
class SegmentBackend {
 public:
  virtual ~SegmentBackend() = default;
  [[nodiscard]] virtual SegmentKind kind() const noexcept = 0;
  /// Makes and maps a segment of `bytes` (> 0, rounded up to pages), zero-filled, reserved and prefaulted: no
  /// later touch can fail. `name` is shown in /proc/PID/maps and, for named backends, is the name
  /// ([A-Za-z0-9._-], 200 characters at most; an existing segment of the name is an error). Named segments
  /// are unlinked on destruction. Throws Error{no_memory} that says what was needed, what limits it and the
  /// fix; {in_use}; {bad_argument}.
  [[nodiscard]] virtual std::unique_ptr<OwnedSegment> create(const std::string& name,
                                                             std::size_t bytes) const = 0;
  /// Maps what a peer sent. `bytes` is what it must measure, checked by fstat before mapping, as are the
  /// seals against shrinking where this kind has them. Throws Error{protocol} naming what is wrong,
  /// {no_memory} when it cannot be mapped.
  [[nodiscard]] virtual std::unique_ptr<SharedSegment> map(UniqueFd fd, std::size_t bytes,
                                                           bool writable) const = 0;
  /// Removes named segments whose name begins with `prefix`, left by a process that died; returns their
  /// names.
  virtual std::vector<std::string> sweep(const std::string& prefix) const = 0;
};

/// Throws Error{unsupported} for a kind that this build does not have.
[[nodiscard]] const SegmentBackend& segment_backend(SegmentKind kind);
[[nodiscard]] std::vector<SegmentKind> segment_kinds();

}  // namespace reel
