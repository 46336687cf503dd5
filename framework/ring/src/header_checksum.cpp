#include <reel/ring/header_checksum.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace reel {

// The size is a constant and short: no wider instruction set would help, and the compiler leaves the one case
// that applies.
std::uint64_t header_checksum(const SlotRecord& record) noexcept {
  return XXH3_64bits(&record, sizeof record);
}

}  // namespace reel
