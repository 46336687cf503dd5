// Closes what a recorder left open when it was killed. Called by the closer's thread.
#pragma once

#include <optional>

#include "catalog/catalog.hpp"

namespace record {

/// Makes the open file a whole one, in its place, and returns its manifest, with which the catalog is to
/// finish it; nullopt where there was nothing to keep: then it is gone, or, where its bytes cannot be read,
/// beside the recordings as "X-damaged". Logs what it did. Throws reel::Error where the disk does not let it:
/// it is to be tried again later.
[[nodiscard]] std::optional<SegmentRecord> repair_abandoned(Catalog& catalog, const Abandoned& file);

}  // namespace record
