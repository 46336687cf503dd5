// The backends of this build, one function each, and what they have in common. Thread-safe: backends are
// stateless.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <reel/shm/segment.hpp>

namespace reel {

[[nodiscard]] const SegmentBackend& memfd_backend();
[[nodiscard]] const SegmentBackend& posix_backend();

/// Throws Error{bad_argument} that names the value and the rule.
void check_segment_name(const std::string& name);
/// `bytes` rounded up to pages. Throws Error{bad_argument} for 0 and for more than an address space holds.
[[nodiscard]] std::size_t whole_pages(const std::string& name, std::size_t bytes);

/// Maps all of an open descriptor, prefaulted, hidden from forked children. `what` names it in messages.
/// Throws Error{protocol} when the descriptor does not allow such a mapping, {no_memory} when there is no
/// room.
[[nodiscard]] std::unique_ptr<SharedSegment> map_descriptor(int fd, std::size_t bytes, bool writable,
                                                            const std::string& what);

/// Throws Error{protocol} unless `fd` is a regular file of exactly `bytes` (> 0).
void check_descriptor_size(int fd, std::size_t bytes, const std::string& what);

/// Another descriptor of the same open file, closed on exec. Throws Error.
[[nodiscard]] UniqueFd duplicate(int fd, const std::string& what);

}  // namespace reel
