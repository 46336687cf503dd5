#include <reel/ring/header_checksum.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace reel {

// The sizes are constants and short: no wider instruction set would help, and the compiler leaves the one
// case that applies to each.
std::uint64_t header_checksum(const SlotRecord& record) noexcept {
  if (record.planes_listed != 0) return XXH3_64bits(&record, sizeof record);
  return XXH3_64bits(&record, kRecordBytes);
}

}  // namespace reel
