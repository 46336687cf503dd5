// Pictures of the events in a segment. Called by the closer's thread, before the segment has its name.
#pragma once

#include "catalog/segment.hpp"
#include "catalog/store.hpp"

namespace record {

/// Of each event whose best frame is in the segment, "X.ID.jpg" and, at most 320 pixels wide,
/// "X.ID.small.jpg" beside it, each whole or not there; they are named in its mark. What goes wrong is logged
/// and leaves an event without.
void add_pictures(const Store& store, SegmentRecord& record);

}  // namespace record
