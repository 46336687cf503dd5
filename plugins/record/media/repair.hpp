// Closing a file that was left open by a kill or a power cut. Called by the repair pass. Thread-safe after
// gst_init().
#pragma once

#include <string>

#include "probe.hpp"

namespace record {

/// Writes what can be read of `path` into a finished file at `repaired` (not there yet; on the same file
/// system), with the same times, fdatasync'ed; `path` is left as it is: rename over it. Returns what the new
/// file holds. Throws reel::Error{protocol} when nothing can be read from it (then there is no `repaired`),
/// reel::Error{io} when it cannot be written.
[[nodiscard]] Probe repair(const std::string& path, const std::string& repaired);

}  // namespace record
