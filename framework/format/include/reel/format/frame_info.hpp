// What is said about one frame beside its payload: kind, times, flags, plane layout. Pure values.
#pragma once

#include <cstdint>

#include <reel/base/clock.hpp>
#include <reel/format/video_format.hpp>

namespace reel {

/// The numbers are part of the shared-memory layout.
enum class FrameKind : std::uint32_t {
  media = 1,  // video, audio, encoded, bytes
  gap = 2,    // no data for [pts, pts + duration)
  event = 3   // a custom event: its text is the payload
};

/// Bits of FrameInfo::flags; part of the shared-memory layout.
enum FrameFlag : std::uint32_t {
  kKeyFrame = 1u << 0,  // can be decoded alone; set on every raw frame
  kDiscont = 1u << 1,   // does not continue the frame before it
  /// The source says it is damaged, or its checksum failed and the reader asked for it all the same.
  kCorrupted = 1u << 2,
  kHeader = 1u << 3,        // stream headers rather than media
  kDroppable = 1u << 4,     // nothing depends on it
  kNonDroppable = 1u << 5,  // must not be dropped, whatever is late
  kMarker = 1u << 6,        // the last of what belongs together (an access unit), or the first of a talkspurt
  kResync = 1u << 7,        // a time line begins: clocks are set anew
  kNothingNew = 1u << 8,    // silence, or the picture before once more: may be skipped
  kDecodeOnly = 1u << 9,    // to be decoded, not to be shown
  kFromLive = 1u << 10,     // a live source made it
  kSyncAfter = 1u << 11     // whoever stores it makes it durable before it goes on
};
/// Bits whose meaning depends on the kind of media: GStreamer's own numbers (GST_VIDEO_BUFFER_FLAG_INTERLACED
/// is the first, then top field first, repeat first field, one field, several views, first in bundle).
inline constexpr std::uint32_t kFirstMediaFlag = 1u << 20;
inline constexpr std::uint32_t kMediaFlags = 0xFFF0'0000u;

/// Times are nanoseconds; kNoTime where not set.
struct FrameInfo {
  FrameKind kind = FrameKind::media;
  std::uint32_t flags = kKeyFrame;
  std::int64_t pts_ns = kNoTime;  // presentation, in the stream's own time line (see Segment records)
  std::int64_t dts_ns = kNoTime;  // decoding
  std::int64_t duration_ns = kNoTime;
  std::int64_t capture_ns = kNoTime;  // CLOCK_MONOTONIC when the picture or sound was taken (or first seen)
  std::uint64_t offset = ~std::uint64_t{0};      // the source's own frame or sample number; all ones: none
  std::uint64_t offset_end = ~std::uint64_t{0};  // the number after its last; all ones: none
};

}  // namespace reel
