// Units of made-up tracks: 10 pictures a second with a key frame each second, sound in blocks of 50 ms.
// Single-thread.
#pragma once

#include <cstdint>

#include "media/unit.hpp"

namespace record {

inline constexpr std::int64_t kMs = 1'000'000;
inline constexpr std::size_t kVideo = 0, kSound = 1, kSecondVideo = 2;

[[nodiscard]] inline Unit made_unit(std::size_t track, std::int64_t time_ns, bool key,
                                    std::size_t bytes = 100) {
  gst_init(nullptr, nullptr);
  Unit unit;
  unit.track = track;
  unit.time_ns = unit.decode_ns = time_ns;
  unit.key = key;
  unit.buffer = std::shared_ptr<GstBuffer>(gst_buffer_new_allocate(nullptr, bytes, nullptr),
                                           [](GstBuffer* buffer) { gst_buffer_unref(buffer); });
  return unit;
}

/// Calls `take` with the units whose times are from `from_ms` to before `to_ms`. Sound comes by `sound_ahead`
/// before the pictures of its time.
template <class Take>
void play_units(std::int64_t from_ms, std::int64_t to_ms, Take take, bool video = true, bool sound = true,
                std::int64_t sound_ahead_ms = 0) {
  for (std::int64_t ms = from_ms - sound_ahead_ms; ms < to_ms; ms += 50) {
    const std::int64_t heard = ms + sound_ahead_ms;
    if (sound && heard >= from_ms && heard < to_ms) take(made_unit(kSound, heard * kMs, true));
    if (video && ms >= from_ms && ms % 100 == 0) take(made_unit(kVideo, ms * kMs, ms % 1000 == 0));
  }
}

}  // namespace record
