// Which media frames of one input its stage gets, by `every` and `max_fps`. Asked for every frame by the
// input's reader. Single-thread.
#pragma once

#include <cstdint>

#include <reel/channel/frame.hpp>
#include <reel/stage/inputs.hpp>

namespace reel {

class FrameChooser {
 public:
  explicit FrameChooser(const FrameChoice& choice) noexcept;

  [[nodiscard]] bool takes(const Frame& frame) noexcept;
  /// The same by its time alone. A rate is kept by a grid of due times: each takes the frame that is nearest
  /// to it, so that frames which are early or late by up to a seventh of their distance change nothing.
  [[nodiscard]] bool takes(std::int64_t time_ns) noexcept;

 private:
  void note(std::int64_t time_ns) noexcept;

  std::uint64_t every_;
  std::uint64_t seen_ = 0;
  std::int64_t interval_ns_ = 0;  // of the grid; 0: none
  std::int64_t due_ns_ = 0;
  std::int64_t last_ns_ = 0;
  std::int64_t spacing_ns_ = 0;  // between the stream's frames, smoothed; 0: not known yet
  std::int64_t steps_ = 0;       // that it is the mean of
};

}  // namespace reel
