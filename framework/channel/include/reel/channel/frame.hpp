// A frame that was taken from a stream: a read-only view of the slot itself, held (pinned) until the Frame is
// released. Movable. Release may happen in another thread than the reader's; everything else is
// single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <reel/channel/held_slot.hpp>
#include <reel/format/format.hpp>
#include <reel/format/frame_info.hpp>
#include <reel/format/records.hpp>
#include <reel/format/side_data.hpp>

namespace reel {

class ReaderEpoch;  // the mappings of one life of a stream, seen by one reader
template <>
void HeldSlot<ReaderEpoch>::release() noexcept;  // clears the pin

struct ConstPlaneView {
  const std::byte* data = nullptr;
  std::uint32_t stride_bytes = 0;
  std::uint32_t row_bytes = 0;
  std::uint32_t rows = 0;
};

class Frame {
 public:
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(held_); }

  /// Position in the stream: from 1, each frame one more, for as long as the writer lives.
  [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
  [[nodiscard]] const FrameInfo& info() const noexcept { return info_; }
  /// CLOCK_MONOTONIC when the writer published it, nanoseconds.
  [[nodiscard]] std::int64_t publish_ns() const noexcept { return publish_ns_; }
  /// Frames that this reader did not get since the one before (skipped by `latest`, lapped, or dropped as
  /// corrupted).
  [[nodiscard]] std::uint64_t missed_before() const noexcept { return missed_before_; }
  /// True when the payload's checksum was compared and is right.
  [[nodiscard]] bool verified() const noexcept { return verified_; }

  /// REQUIRES (all below): operator bool. Valid until release; the bytes cannot be written through this
  /// mapping.
  [[nodiscard]] std::span<const std::byte> data() const noexcept { return payload_; }
  [[nodiscard]] const Format& format() const noexcept { return *format_; }
  [[nodiscard]] std::uint32_t plane_count() const noexcept { return layout_.plane_count; }
  [[nodiscard]] ConstPlaneView plane(std::uint32_t index) const noexcept;
  [[nodiscard]] const VideoLayout& layout() const noexcept { return layout_; }
  [[nodiscard]] const SideDataView& side_data() const noexcept { return side_data_; }
  /// nullptr where the writer named none.
  [[nodiscard]] const Segment* segment() const noexcept { return segment_; }
  [[nodiscard]] const Tags* tags() const noexcept { return tags_; }

  /// Lets the slot go. A Frame of a stream that has ended or whose writer died stays readable until here.
  void release() noexcept { held_.release(); }

 private:
  friend class FrameReader;
  HeldSlot<ReaderEpoch> held_;
  bool verified_ = false;
  std::uint64_t sequence_ = 0;
  std::uint64_t missed_before_ = 0;
  std::int64_t publish_ns_ = kNoTime;
  FrameInfo info_;
  std::span<const std::byte> payload_;
  const Format* format_ = nullptr;
  const Segment* segment_ = nullptr;
  const Tags* tags_ = nullptr;
  VideoLayout layout_;
  SideDataView side_data_;
};

}  // namespace reel
