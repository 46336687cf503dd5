// One encoded piece of one track (an access unit, a block of sound) as it goes from an encoder or a camera
// into a file. Values; the bytes are shared and never changed.
#pragma once

#include <cstdint>
#include <memory>

#include <reel/base/clock.hpp>
#include <reel/gst/pointers.hpp>

namespace record {

/// Times are nanoseconds of the recording's own time line ("media time"): 0 is the first unit of the
/// recording, one line for all tracks, not set back by a new segment, a reconnected camera or a step of the
/// wall clock.
struct Unit {
  std::size_t track = 0;                    // index among the recording's tracks
  std::int64_t time_ns = 0;                 // presentation
  std::int64_t decode_ns = 0;               // never goes back within a track
  std::int64_t duration_ns = 0;             // 0: not known
  std::int64_t arrived_ns = reel::kNoTime;  // CLOCK_MONOTONIC when its frame was taken
  bool key = false;                         // can be decoded alone; every unit of sound can
  bool discont = false;                     // something before it is missing
  std::uint64_t frame = 0;  // number of its frame within the track, from 0; of sound: of its first block
  std::shared_ptr<GstBuffer> buffer;  // its bytes; its own times mean nothing
  std::shared_ptr<GstCaps> caps;      // what it is, codec data included; the same object until that changes
  [[nodiscard]] std::size_t bytes() const noexcept { return buffer ? gst_buffer_get_size(buffer.get()) : 0; }
};

}  // namespace record
