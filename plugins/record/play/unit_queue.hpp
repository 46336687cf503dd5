// The units of one track that wait to be decoded or published, from the place on where playback begins.
// Called by a lane; single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include <reel/format/format.hpp>

#include "media/unit.hpp"

namespace record {

struct QueuedUnit {
  Unit unit;  // `time_ns` is media time
  bool video = false;
  /// What the stream was when it was published; nullptr where nobody knows.
  std::shared_ptr<const reel::Format> published_as;
};

class UnitQueue {
 public:
  /// Nothing before `from_ns` of media time but what it takes to decode what is there: of video from the key
  /// frame before it on, of sound a few blocks.
  explicit UnitQueue(std::int64_t from_ns) noexcept : from_ns_(from_ns) {}

  void push(QueuedUnit queued);
  [[nodiscard]] bool empty() const noexcept { return units_.empty(); }
  [[nodiscard]] const QueuedUnit& front() const noexcept { return units_.front(); }
  void pop() noexcept;
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Media time of the last one that was pushed; kNoTime before it.
  [[nodiscard]] std::int64_t last_ns() const noexcept { return last_ns_; }

 private:
  void keep(QueuedUnit queued);

  const std::int64_t from_ns_;
  std::deque<QueuedUnit> before_;  // from_ns_
  std::deque<QueuedUnit> units_;
  std::size_t bytes_ = 0;
  bool begun_ = false;
  std::int64_t last_ns_ = reel::kNoTime;
};

}  // namespace record
