// Closes what a recorder left open when it was killed. Called by the closer's thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"

namespace record {

/// All that is lost with a file: a gap of each track, by its manifest.
[[nodiscard]] std::vector<Gap> lost_with(const SegmentRecord& manifest, const std::string& reason);
/// The same by the facts beside it, which are newer, where there are any.
[[nodiscard]] std::vector<Gap> lost_with(const Abandoned& file, const std::string& reason);

/// Makes the open file a whole one, in its place, and returns its manifest, with which the catalog is to
/// finish it; nullopt where there was nothing to keep: then it is gone, or, where its bytes cannot be read,
/// beside the recordings as "X-damaged". Logs what it did. Throws reel::Error where the disk does not let it:
/// it is to be tried again later. Frames of which there are facts and that the file does not hold are a gap
/// in it, for this reason.
[[nodiscard]] std::optional<SegmentRecord> repair_abandoned(Catalog& catalog, const Abandoned& file,
                                                            const std::string& reason);

}  // namespace record
