// The bytes of a stream in shared memory: nothing here but layout. Fixed-width, little-endian, free of
// pointers; RING.md beside this layer draws it. Every atomic field names the one side that writes it; the
// other side reads it as bytes from a stranger.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <reel/format/format.hpp>
#include <reel/format/frame_info.hpp>
#include <reel/format/records.hpp>

namespace reel {

inline constexpr std::uint64_t kStreamMagic = 0x31'52'54'53'4C'45'45'52;  // "REELSTR1" in memory
inline constexpr std::uint16_t kLayoutMajor = 2;  // 2: offset_end, applied_rate, stream headers
inline constexpr std::uint16_t kLayoutMinor = 0;
inline constexpr std::size_t kPageBytes = 4096;
inline constexpr std::uint32_t kFormatRecords = 16;
inline constexpr std::uint32_t kSegmentRecords = 64;
inline constexpr std::uint32_t kTagsRecords = 16;
inline constexpr std::uint32_t kRingSlotLimit = 256;  // slots of a stream, at most
inline constexpr std::uint32_t kPinWords = kRingSlotLimit / 64;
inline constexpr std::uint64_t kFirstSequence = 1;  // 0 is "no frame"

using EpochId = std::array<std::uint8_t, 16>;

enum class SlotState : std::uint64_t { free = 0, writing = 1, ready = 2, retired = 3 };

/// A slot's `state`: sequence << 2 | state.
[[nodiscard]] constexpr std::uint64_t slot_word(std::uint64_t sequence, SlotState state) noexcept {
  return sequence << 2 | static_cast<std::uint64_t>(state);
}
/// A ring word, and the head: sequence << 16 | slot. 48 bits of sequence last 8900 years at 1000 frames a
/// second.
[[nodiscard]] constexpr std::uint64_t ring_word(std::uint64_t sequence, std::uint32_t slot) noexcept {
  return sequence << 16 | slot;
}
[[nodiscard]] constexpr std::uint64_t sequence_of(std::uint64_t word) noexcept {
  return word >> 16;
}
[[nodiscard]] constexpr std::uint32_t slot_of(std::uint64_t word) noexcept {
  return static_cast<std::uint32_t>(word & 0xFFFF);
}

/// Written once, before the record's id appears in a slot header. Typed fields are parsed from the caps text.
struct FormatRecord {
  std::uint64_t checksum;  // XXH3-64 of all that follows
  std::uint32_t kind;      // MediaKind
  std::uint32_t caps_bytes;
  std::uint32_t codec_data_bytes;
  std::uint32_t headers_bytes;  // of stream headers, behind the codec data: u32 size | bytes, for each
  std::array<char, kMaxCapsBytes> caps;
  std::array<std::byte, kMaxCodecDataBytes> codec_data;
};
static_assert(sizeof(FormatRecord) == 24 + kMaxCapsBytes + kMaxCodecDataBytes);

struct SegmentRecord {
  std::uint64_t checksum;  // of all that follows
  double rate;
  std::int64_t start_ns, stop_ns, time_ns, base_ns, monotonic_offset_ns;
  double applied_rate;
};
static_assert(sizeof(SegmentRecord) == 64);

struct TagsRecord {
  std::uint64_t checksum;  // of all that follows
  std::uint32_t bytes;
  std::uint32_t reserved;
  std::array<char, kMaxTagsBytes> text;
};
static_assert(sizeof(TagsRecord) == 16 + kMaxTagsBytes);

/// What the writer fixed when it made the memory. Readers copy it once and check the copy.
struct StreamGeometry {
  std::uint16_t layout_major, layout_minor;
  std::uint32_t header_bytes;  // sizeof(StreamHeader)
  std::uint64_t features;      // bits a reader must know to read the stream; none yet
  EpochId epoch;
  std::uint32_t slots;
  std::uint32_t ring_words;                    // a power of two, at least `slots`
  std::uint64_t slot_bytes;                    // payload capacity of a slot
  std::uint64_t side_data_bytes;               // side-data capacity of a slot, behind its payload
  std::uint64_t slot_stride_bytes;             // from slot to slot, whole pages
  std::uint64_t control_bytes, payload_bytes;  // of the two segments
  std::uint64_t formats_offset, segments_offset, tags_offset, ring_offset, slots_offset;
  std::uint32_t checksum_mode;  // ChecksumMode
  std::uint32_t live;           // 0 or 1
  std::uint32_t history;
  std::uint32_t memory;  // SegmentKind
  std::uint32_t writer_pid;
  std::uint32_t sealed;  // 1: the kernel refuses writes by anyone but the writer
  std::uint64_t first_sequence;
  std::int64_t created_ns;    // CLOCK_MONOTONIC
  std::array<char, 64> name;  // zero-terminated
};
static_assert(sizeof(StreamGeometry) == 224 && std::is_trivially_copyable_v<StreamGeometry>);

/// At offset 0 of control. All of it is written by the writer alone.
struct StreamHeader {
  std::atomic<std::uint64_t> magic;  // kStreamMagic, stored last
  std::uint64_t geometry_checksum;
  StreamGeometry geometry;
  // Written per frame: what readers spin on is one line.
  alignas(64) std::atomic<std::uint64_t> head;    // ring word of the newest frame; its sequence is
                                                  // first_sequence - 1 before any
  alignas(64) std::atomic<std::uint64_t> oldest;  // smallest sequence still kept
  std::atomic<std::uint64_t> last_key;            // newest sequence that can be decoded alone; 0: none
  alignas(64) std::atomic<std::uint64_t> end;     // end of stream: one past the last sequence; 0: not ended
  // this memory's last sequence plus one: the stream goes on in another; 0: it has not
  std::atomic<std::uint64_t> moved;
  std::atomic<std::uint32_t> format_id;  // newest record, for those who look before any frame; 0: none
  std::atomic<std::uint32_t> segment_id, tags_id;
  std::atomic<std::uint64_t> waits;  // times the writer waited for readers
  // stored before `moved`: the EpochId in which the stream goes on, whatever was announced besides; 0: none
  // yet
  std::array<std::atomic<std::uint64_t>, 2> next_epoch;
  alignas(64) std::atomic<std::uint32_t> writer_waiting;  // 1: whoever lets a slot go sends the writer a byte
};
static_assert(offsetof(StreamHeader, geometry) == 16 && offsetof(StreamHeader, head) == 256);
static_assert(sizeof(StreamHeader) == 512);

/// All that is said of one frame; covered by the slot's header checksum. Most frames lie as their format's
/// default layout says: then the planes are not listed, neither written nor read, and state, checksum and
/// record are two cache lines.
struct SlotRecord {
  std::uint64_t sequence;
  std::uint8_t kind;                             // FrameKind
  std::uint8_t checksum_mode;                    // of this frame's payload
  std::uint8_t plane_count;                      // 0: none
  std::uint8_t planes_listed;                    // 1: below; 0: as in default_layout() of the format
  std::uint32_t flags;                           // FrameFlag bits
  std::uint16_t format_id, segment_id, tags_id;  // from 1; 0: none
  std::uint16_t reserved;
  std::uint64_t payload_bytes, side_data_bytes;
  std::uint64_t payload_checksum, side_data_checksum;
  std::int64_t pts_ns, dts_ns, duration_ns, capture_ns, publish_ns;
  std::uint64_t offset, offset_end;
  std::array<std::uint64_t, kMaxPlanes> plane_offset_bytes;
  std::array<std::uint32_t, kMaxPlanes> plane_stride_bytes;
};
static_assert(sizeof(SlotRecord) == 160 && std::is_trivially_copyable_v<SlotRecord>);

/// What is written, hashed and read of a record: all of it only where planes are listed.
inline constexpr std::size_t kRecordBytes = offsetof(SlotRecord, plane_offset_bytes);
static_assert(kRecordBytes == 112);

struct alignas(64) SlotHeader {
  std::atomic<std::uint64_t> state;  // written by the writer: slot_word
  std::uint64_t
      header_checksum;  // XXH3-64 of `record`'s first kRecordBytes, or of all where planes are listed
  SlotRecord record;    // written while WRITING, read under a pin
};
static_assert(sizeof(SlotHeader) == 192 && offsetof(SlotHeader, record) == 16);

/// How a sleeping reader wants to be woken, the low bits of its ticket.
enum class WakeKind : std::uint64_t { none = 0, socket = 1, futex = 2 };
/// A ticket: wake me when the newest sequence plus one is at least `armed_for`.
[[nodiscard]] constexpr std::uint64_t ticket_word(std::uint64_t armed_for, WakeKind kind) noexcept {
  return armed_for << 2 | static_cast<std::uint64_t>(kind);
}

/// One per reader, a segment of its own, made by the writer and handed to that reader alone.
struct ReaderPage {
  // Written by the reader. One line: the writer's scan reads it once per frame.
  alignas(64) std::atomic<std::uint64_t> cursor;           // next sequence it wants
  std::array<std::atomic<std::uint64_t>, kPinWords> pins;  // bit = slot
  // Written by the reader, a line of its own: the writer reads it behind each publish, while an awake reader
  // sets its pin.
  alignas(64) std::atomic<std::uint64_t> ticket;
  // Written by the reader, read by tools through the writer.
  alignas(64) std::atomic<std::uint64_t> delivered;
  std::atomic<std::uint64_t> verified, corrupted, skipped, lapped;
  // Written by the writer (and by the reader's own process when its writer dies): what a blocked read sleeps
  // on.
  alignas(kPageBytes) std::atomic<std::uint32_t> doorbell;
};
static_assert(offsetof(ReaderPage, pins) == 8 && offsetof(ReaderPage, ticket) == 64 &&
              offsetof(ReaderPage, delivered) == 128);
static_assert(offsetof(ReaderPage, doorbell) == kPageBytes && sizeof(ReaderPage) == 2 * kPageBytes);

static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
              std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(std::endian::native == std::endian::little, "the layout is little-endian");

}  // namespace reel
