// Pipelines for tests of faults: a recorder whose clock and disk are the test's, and a camera that does as it
// is told. Single-thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <running_pipeline.hpp>

namespace reel_test {

/// A stage `name` in YAML, which writes into the stream of its own name, as a camera does, each frame when it
/// is due, once `reader` ("pipeline/stage") is there. Each word is an order and what belongs to it:
///   "video 320 240 25"   pictures of that size and rate from now on
///   "audio 48000 2"      blocks of sound of 20 ms from now on
///   "times good"         they say when they were; "back": every tenth goes five seconds back; "repeat":
///   every
///                        other says what the one before said; "none": every third says nothing
///   "frames 50"          so many
///   "until FILE"         frames until there is that file
///   "wait FILE"          nothing until then
///   "again"              it is gone without a word, and there is another one
///   "connect 100"        the same so many times, with one frame each
///   "tell TEXT"          a line on standard output
[[nodiscard]] std::string camera_stage(const std::string& name, const std::string& reader,
                                       const std::vector<std::string>& words);

/// Settings of a stage, with which its clock and disk are `ClockAndDisk`'s.
class ClockAndDisk {
 public:
  ClockAndDisk();
  /// What stands behind `environment:`; `more` is of the same form, ", NAME: value".
  [[nodiscard]] std::string environment(const std::string& more = {}) const;
  /// Its wall clock is so far ahead of the machine's.
  void step_clock(std::int64_t seconds) const;
  /// 0: as fast as it can.
  void slow_disk(std::int64_t bytes_per_second) const;

 private:
  ScratchDir scratch_;
};

[[nodiscard]] inline std::string in_quotes(const std::string& text) {
  return '"' + text + '"';
}

}  // namespace reel_test
