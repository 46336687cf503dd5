// Records between their bytes in control memory and values, and what a slot's header says of its frame.
// Stateless; reading trusts nothing.
#pragma once

#include <optional>

#include <reel/format/format.hpp>
#include <reel/format/frame_info.hpp>
#include <reel/format/records.hpp>
#include <reel/ring/layout.hpp>

namespace reel {

/// Throw Error{bad_argument} for what does not fit its record.
void write_record(const Format& format, FormatRecord& record);
void write_record(const Segment& segment, SegmentRecord& record);
void write_record(const Tags& tags, TagsRecord& record);

/// nullopt for a record whose checksum, sizes or text are wrong.
[[nodiscard]] std::optional<Format> read_record(const FormatRecord& record);
[[nodiscard]] std::optional<Segment> read_record(const SegmentRecord& record);
[[nodiscard]] std::optional<Tags> read_record(const TagsRecord& record);

[[nodiscard]] inline FrameInfo info_of(const SlotRecord& record) noexcept {
  return {static_cast<FrameKind>(record.kind),
          record.flags,
          record.pts_ns,
          record.dts_ns,
          record.duration_ns,
          record.capture_ns,
          record.offset,
          record.offset_end};
}
/// Where the planes of the frame lie; nullopt when they cannot lie so in a frame of `format`, which comes
/// from a record that read_record() took: its size is in range.
[[nodiscard]] std::optional<VideoLayout> layout_of(const SlotRecord& record, const Format& format) noexcept;

}  // namespace reel
