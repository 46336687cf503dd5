// The facts of one stream's frames, found again by the media time of what the file gives. Called by a lane;
// single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "facts/frame_facts.hpp"
#include "play/recording.hpp"

namespace record {

class FactsQueue {
 public:
  /// Files count in milliseconds, some of them.
  static constexpr std::int64_t kTolerance_ns = 2'000'000;

  /// Frames outside of the cut are not missed.
  explicit FactsQueue(const Cut& cut) : cut_(cut) {}

  /// Those of the next segment, in the order in which its frames come.
  void add(std::vector<FrameFacts> facts);
  /// The facts of the frame at `media_ns`. Those before it are of frames that never came: they are lost.
  /// nullopt where nothing is known of it.
  [[nodiscard]] std::optional<FrameFacts> take(std::int64_t media_ns);
  [[nodiscard]] bool empty() const noexcept { return facts_.empty(); }
  [[nodiscard]] const FrameFacts& front() const noexcept { return facts_.front(); }
  FrameFacts pop();
  /// The front one has no frame.
  void lose();
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }
  /// No more frames come: what is left is lost.
  void end() {
    while (!facts_.empty()) lose();
  }

 private:
  const Cut cut_;
  std::deque<FrameFacts> facts_;
  std::uint64_t lost_ = 0;
};

/// Times of a frame that has no facts of its own (a codec's block of sound), by those of the one before it:
/// pts and capture time run as media time does.
[[nodiscard]] reel::FrameInfo times_after(const FrameFacts& before, std::int64_t media_ns);

}  // namespace record
