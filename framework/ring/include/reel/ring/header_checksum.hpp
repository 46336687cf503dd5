// A slot's record as both ends of a ring and those who look on treat it: how it is copied, and what
// SlotHeader::header_checksum holds. Stateless and thread-safe.
#pragma once

#include <cstdint>
#include <cstring>

#include <reel/ring/layout.hpp>

namespace reel {

/// Copies what is there: the planes only where they are listed. `from` may change meanwhile (shared memory):
/// what was copied is decided by the copy.
inline void copy_record(SlotRecord& to, const SlotRecord& from) noexcept {
  std::memcpy(&to, &from, kRecordBytes);
  if (to.planes_listed != 0) {
    to.plane_offset_bytes = from.plane_offset_bytes;
    to.plane_stride_bytes = from.plane_stride_bytes;
  }
}

/// XXH3-64 with seed 0 of the record's first kRecordBytes, or of all of it where planes are listed, as
/// checksum() has it, without the choice of a kernel: twice on the path of each frame.
[[nodiscard]] std::uint64_t header_checksum(const SlotRecord& record) noexcept;

}  // namespace reel
