// One life of a stream's memory as its writer holds it: the segments, the ring's writing end, the records
// written so far. Loans share it. Data thread, but for ring() as RingWriter says.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include <reel/channel/frame_writer.hpp>
#include <reel/ring/ring_writer.hpp>

namespace reel {

class WriterEpoch {
 public:
  /// `open_loans` counts over all epochs of a writer. Throws Error{no_memory | bad_argument}.
  WriterEpoch(const StreamRequest& request, std::shared_ptr<std::uint32_t> open_loans)
      : memory_(request), ring_(memory_.view(), request.live), open_loans_(std::move(open_loans)) {}

  [[nodiscard]] RingWriter& ring() noexcept { return ring_; }
  [[nodiscard]] const StreamView& view() const noexcept { return memory_.view(); }
  [[nodiscard]] const OwnedStreamMemory& memory() const noexcept { return memory_; }

  /// A slot that the ring lent counts as a loan from here on, until it is published or given back.
  void lend() noexcept { ++*open_loans_; }
  /// What is kept stays a loan until it is given back. Returns when, as RingWriter::publish does.
  std::int64_t publish(std::uint32_t slot, const PublishRequest& request, bool keep,
                       ReaderWaker& waker) noexcept {
    const std::int64_t publish_ns = ring_.publish(slot, request, waker);
    if (keep)
      ring_.keep(slot);
    else
      --*open_loans_;
    return publish_ns;
  }
  void give_back(std::uint32_t slot) noexcept {
    ring_.release(slot);
    --*open_loans_;
  }

  /// The id of a record equal to the value, written now when there is none yet; nullopt when the table is
  /// full. It becomes the newest, which is what late readers and tools see. Throws Error{bad_argument} for
  /// what does not fit a record.
  [[nodiscard]] std::optional<std::uint32_t> format_id(const Format& format);
  [[nodiscard]] std::optional<std::uint32_t> segment_id(const Segment& segment);
  [[nodiscard]] std::optional<std::uint32_t> tags_id(const Tags& tags);

  /// The same for a frame of an older format: the newest stays what it is.
  [[nodiscard]] std::optional<std::uint32_t> older_format_id(const Format& format);

  /// REQUIRES: an id given out by one of these. The reference stays valid.
  [[nodiscard]] const Format& format(std::uint32_t id) const noexcept { return formats_[id - 1]; }

 private:
  OwnedStreamMemory memory_;
  RingWriter ring_;
  std::shared_ptr<std::uint32_t> open_loans_;  // shared: a loan may be dropped after its writer
  std::deque<Format> formats_;  // what each record holds: deques, so that references stay valid
  std::deque<Segment> segments_;
  std::deque<Tags> tags_;
};

}  // namespace reel
