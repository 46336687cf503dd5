// Media time of what comes out of the spool: one line for all tracks of a recording. Streams that are bound
// to the machine's clock are held to it (TrackClock); those that are not, files read as fast as they can be,
// go by their own times. Called by the recorder's thread. Single-thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "catalog/segment.hpp"
#include "media/track_clock.hpp"
#include "recorder/spool.hpp"

namespace record {

/// Whether its CLOCK_MONOTONIC is that of now: by the boot that it names; one that names none, by the wall
/// clock, as far as that was not stepped.
[[nodiscard]] bool of_this_boot(const SegmentRecord& record);

class TimeLine {
 public:
  /// `last` is the recording's newest segment, which it goes on from, if there is one.
  TimeLine(std::size_t inputs, const std::optional<SegmentRecord>& last);

  [[nodiscard]] MediaTime place(const SpooledFrame& frame);
  /// CLOCK_MONOTONIC and the wall clock at a media time, as clocks stand now. REQUIRES: a frame was placed.
  [[nodiscard]] ClockPair clocks_at(std::int64_t media_ns) const;

 private:
  struct Input {
    std::optional<TrackClock> clock;
    std::int64_t last_running_ns = reel::kNoTime;
    std::size_t runs = 0;  // how often its own times began anew
  };
  void begin(const SpooledFrame& first);
  [[nodiscard]] std::int64_t clock_time_of(const SpooledFrame& frame, std::int64_t running_ns, Input& input);

  std::optional<SegmentRecord> last_;
  std::vector<Input> inputs_;
  std::optional<std::int64_t> anchor_ns_;  // CLOCK_MONOTONIC of media time 0
  std::vector<std::int64_t>
      run_begin_ns_;            // of streams without clock: CLOCK_MONOTONIC of their running time 0
  std::int64_t newest_ns_ = 0;  // CLOCK_MONOTONIC, end of what was placed of those
};

}  // namespace record
