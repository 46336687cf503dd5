// What SlotHeader::header_checksum holds, for both ends of a ring and for those who look on. Stateless and
// thread-safe.
#pragma once

#include <cstdint>

#include <reel/ring/layout.hpp>

namespace reel {

/// XXH3-64 with seed 0 of the whole record, as checksum() has it, without the choice of a kernel: twice on
/// the path of each frame.
[[nodiscard]] std::uint64_t header_checksum(const SlotRecord& record) noexcept;

}  // namespace reel
