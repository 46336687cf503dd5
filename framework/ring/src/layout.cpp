#include <reel/ring/layout.hpp>

namespace reel {

// Each field where RING.md draws it: a change of any of these is a new layout version.
static_assert(offsetof(StreamGeometry, epoch) == 16 && offsetof(StreamGeometry, slots) == 32);
static_assert(offsetof(StreamGeometry, slot_bytes) == 40 && offsetof(StreamGeometry, control_bytes) == 64);
static_assert(offsetof(StreamGeometry, formats_offset) == 80 &&
              offsetof(StreamGeometry, checksum_mode) == 120);
static_assert(offsetof(StreamGeometry, first_sequence) == 144 && offsetof(StreamGeometry, name) == 160);
static_assert(offsetof(StreamHeader, oldest) == 320 && offsetof(StreamHeader, end) == 384);
static_assert(offsetof(StreamHeader, moved) == 392 && offsetof(StreamHeader, next_epoch) == 424);
static_assert(offsetof(StreamHeader, writer_waiting) == 448);
static_assert(offsetof(SlotRecord, payload_bytes) == 24 && offsetof(SlotRecord, pts_ns) == 56);
static_assert(offsetof(SlotRecord, kind) == 8 && offsetof(SlotRecord, plane_offset_bytes) == 112);

}  // namespace reel
