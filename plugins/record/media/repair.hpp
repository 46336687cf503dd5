// Closing a file that was left open by a kill or a power cut. Called by the repair pass. Thread-safe after
// gst_init().
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "probe.hpp"

namespace record {

struct Repaired {
  Probe probe;  // what the new file holds
  std::vector<std::size_t>
      places;  // of its tracks in the header of `path`; those without a frame are left out
};

/// Writes what can be read of `path` into a finished file at `repaired` (not there yet; on the same file
/// system), with the same times, fdatasync'ed; `path` is left as it is: rename over it. Throws
/// reel::Error{protocol} when nothing can be read from it (then there is no `repaired`), reel::Error{io} when
/// it cannot be written.
[[nodiscard]] Repaired repair(const std::string& path, const std::string& repaired);

}  // namespace record
