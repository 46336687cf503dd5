// What the processes of reel_gst_bench share: who they are, and what they measure. Each process is
// single-threaded but for GStreamer's own threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace reel_gst_bench {

inline constexpr unsigned kSlots = 24;  // of a ring, and frames that shmsink's area has room for
inline constexpr int kFramesPerSecond = 60;

/// Who carries the frames. `shm_hashed`: shmsink and shmsrc, with the XXH3 of each frame taken by a probe in
/// front of the one and behind the other: what `reel_hashed` does by itself.
enum class Carrier { shm, reel, shm_hashed, reel_hashed };
inline constexpr Carrier kCarriers[] = {Carrier::shm, Carrier::reel, Carrier::shm_hashed,
                                        Carrier::reel_hashed};
[[nodiscard]] constexpr bool is_shm(Carrier carrier) {
  return carrier == Carrier::shm || carrier == Carrier::shm_hashed;
}

struct Scenario {
  unsigned width = 1920, height = 1080;
  bool paced = false;  // at kFramesPerSecond; else as fast as they go
  unsigned readers = 1;
  bool looked_at = false;  // readers read every byte, as whoever shows or encodes a picture does; else none
  unsigned warm_up = 0, frames = 0;  // at each reader

  [[nodiscard]] std::size_t frame_bytes() const { return std::size_t{width} * height * 3 / 2; }  // NV12
};

/// What one run of one carrier showed; times in microseconds.
struct Measured {
  std::vector<double> latencies;  // of all readers' frames
  double frames_per_second = 0;   // the slowest reader's
  double sender_cpu = 0;          // a frame
  double reader_cpu = 0;          // a frame, of the average reader
  std::uint64_t copied = 0;       // frames that reelsink had to copy
};

/// The element in front of the sink: buffers from whatever pool or allocator the sink proposes, filled with
/// memset, stamped with CLOCK_MONOTONIC in the first eight bytes, at once before they are pushed.
/// REQUIRES: gst_init.
void register_source();
/// Frames flow from here on.
void let_frames_flow();

/// What the two other processes are; each returns its exit status. They are told to go ("go"), and to end
/// (end of file), on standard input.
int run_sender(Carrier carrier, const Scenario& scenario, const std::string& place);
int run_reader(Carrier carrier, const Scenario& scenario, const std::string& place, int sender_pid);

/// One sender and its readers, from start to end. `place`: a directory for sockets. Throws
/// std::runtime_error.
[[nodiscard]] Measured measure(Carrier carrier, const Scenario& scenario, const std::string& place);

}  // namespace reel_gst_bench
