// The two segments of one epoch of a stream: made by the writer (OwnedStreamMemory), mapped and checked by
// everyone else (MappedStreamMemory). Single-thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <reel/base/checksum.hpp>
#include <reel/ring/layout.hpp>
#include <reel/shm/segment.hpp>

namespace reel {

/// What a writer asks for.
struct StreamRequest {
  std::string name;
  std::uint32_t slots = 8;
  std::uint64_t slot_bytes = 0;
  std::uint64_t side_data_bytes = 0;
  std::uint32_t history = 1;
  bool live = false;
  ChecksumMode checksum = ChecksumMode::full;
  SegmentKind memory = SegmentKind::memfd;
  std::uint64_t first_sequence = kFirstSequence;
  std::string segment_name;  // beginning of the segments' names; unique among living ones
};

/// Bytes of both segments together.
[[nodiscard]] std::uint64_t stream_memory_bytes(const StreamRequest& request) noexcept;

/// Typed views of the two segments; no checks, no ownership. Indices must have been checked.
struct StreamView {
  StreamHeader* header = nullptr;
  FormatRecord* formats = nullptr;
  SegmentRecord* segments = nullptr;
  TagsRecord* tags = nullptr;
  std::atomic<std::uint64_t>* ring = nullptr;
  SlotHeader* slots = nullptr;
  std::byte* payload = nullptr;
  StreamGeometry geometry{};  // a private copy: the one that was checked

  [[nodiscard]] std::byte* slot_payload(std::uint32_t slot) const noexcept {
    return payload + slot * geometry.slot_stride_bytes;
  }
  [[nodiscard]] std::byte* slot_side_data(std::uint32_t slot) const noexcept {
    return slot_payload(slot) + (geometry.slot_stride_bytes - geometry.side_data_bytes);
  }
  [[nodiscard]] std::atomic<std::uint64_t>& ring_at(std::uint64_t sequence) const noexcept {
    return ring[sequence & (geometry.ring_words - 1)];
  }
};

class OwnedStreamMemory {
 public:
  /// Reserves, prefaults, writes the geometry and seals. Throws Error{no_memory | bad_argument}.
  explicit OwnedStreamMemory(const StreamRequest& request);

  [[nodiscard]] const StreamView& view() const noexcept { return view_; }
  [[nodiscard]] const OwnedSegment& control() const noexcept { return *control_; }
  [[nodiscard]] const OwnedSegment& payload() const noexcept { return *payload_; }

 private:
  std::unique_ptr<OwnedSegment> control_, payload_;
  StreamView view_;
};

class MappedStreamMemory {
 public:
  /// Maps both read-only and checks every field that is used later: sizes, offsets, versions, counts.
  /// Throws Error{protocol} naming the field and both values, Error{version} naming both versions.
  MappedStreamMemory(SegmentKind kind, UniqueFd control, std::uint64_t control_bytes, UniqueFd payload,
                     std::uint64_t payload_bytes);

  [[nodiscard]] const StreamView& view() const noexcept { return view_; }

 private:
  std::unique_ptr<SharedSegment> control_, payload_;
  StreamView view_;
};

/// After `moved` was seen: the epoch in which the stream goes on; all zero from a writer of layout 1.0.
[[nodiscard]] EpochId next_epoch(const StreamView& view) noexcept;
/// To be stored before `moved` is.
void store_next_epoch(const StreamView& view, const EpochId& next) noexcept;

/// A random (version 4 UUID shaped) id.
[[nodiscard]] EpochId make_epoch_id();
[[nodiscard]] std::string to_hex(const EpochId& id);

}  // namespace reel
