// What a recorded file really holds: read from end to end, and decoded if asked. For `verify`, the repair
// pass and tests. Thread-safe after gst_init(); takes as long as reading (or decoding) takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "coding.hpp"

namespace record {

struct ProbedTrack {
  std::string codec;
  bool video = false;
  std::size_t place = 0;     // in the file's header: see UnitReader::TrackInfo
  std::string caps;          // without codec data
  std::uint64_t frames = 0;  // units
  std::uint64_t key_frames = 0;
  std::int64_t first_ns = 0;  // times of the file, of presentation: earliest unit
  std::int64_t last_ns = 0;   // the latest unit's begin
  std::int64_t end_ns = 0;    // its end, as far as durations are known
  std::uint64_t decoded = 0;  // of `decode`: pictures, or samples of sound
};

struct Probe {
  Container container = Container::matroska;
  bool finished = false;  // it says how long it is, as a file that was closed does
  std::optional<std::int64_t> duration_ns{};
  std::uint64_t bytes = 0;
  std::vector<ProbedTrack> tracks;
  std::string fault;  // what is wrong with it; empty: nothing was found
};

/// Throws reel::Error{not_found | no_permission | io} where there is no such file; whatever else is wrong is
/// in `fault`. With `decode`, every unit is decoded too, and what cannot be is a fault.
[[nodiscard]] Probe probe(const std::string& path, bool decode = false);

}  // namespace record
