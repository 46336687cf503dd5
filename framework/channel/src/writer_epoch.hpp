// One life of a stream's memory as its writer holds it: the segments, the ring's writing end, the records
// written so far. Loans share it. Data thread, but for ring() as RingWriter says.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include <reel/channel/frame_writer.hpp>
#include <reel/ring/ring_writer.hpp>

namespace reel {

class WriterEpoch {
 public:
  /// Throws Error{no_memory | bad_argument}.
  explicit WriterEpoch(const StreamRequest& request)
      : memory_(request), ring_(memory_.view(), request.live) {}

  [[nodiscard]] RingWriter& ring() noexcept { return ring_; }
  [[nodiscard]] const StreamView& view() const noexcept { return memory_.view(); }
  [[nodiscard]] const OwnedStreamMemory& memory() const noexcept { return memory_; }

  /// The id of a record equal to the value, written now when there is none yet; nullopt when the table is
  /// full. Throws Error{bad_argument} for what does not fit a record.
  [[nodiscard]] std::optional<std::uint32_t> format_id(const Format& format);
  [[nodiscard]] std::optional<std::uint32_t> segment_id(const Segment& segment);
  [[nodiscard]] std::optional<std::uint32_t> tags_id(const Tags& tags);

  /// REQUIRES: an id given out by format_id(). The reference stays valid.
  [[nodiscard]] const Format& format(std::uint32_t id) const noexcept { return formats_[id - 1]; }

 private:
  OwnedStreamMemory memory_;
  RingWriter ring_;
  std::deque<Format> formats_;  // what each record holds: deques, so that references stay valid
  std::deque<Segment> segments_;
  std::deque<Tags> tags_;
};

}  // namespace reel
