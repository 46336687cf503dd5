// Manifests and what the files themselves say. Single-thread; gst_init() was called.
#pragma once

#include <string>
#include <vector>

#include "catalog/segment.hpp"
#include "media/probe.hpp"

namespace record {

/// Of a segment whose manifest is lost: what its file tells of tracks and times. Throws reel::Error.
void fill_in(const std::string& file, SegmentRecord& record);

/// What is wrong with the file, or different from the manifest; empty: nothing.
[[nodiscard]] std::vector<std::string> problems_of(const SegmentRecord& record, const Probe& probe);

}  // namespace record
