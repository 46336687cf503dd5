// Side data of a frame as JSON, and back. Called by frame_facts alone. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include <nlohmann/json.hpp>

#include <reel/format/side_data.hpp>

namespace record {

/// A list of {"type", "name", ...}. Numbers are written so that reading gives the same bits; those that are
/// none (NaN) become null.
[[nodiscard]] nlohmann::json side_to_json(const reel::SideDataView& side);
/// The way back. Entries of unknown types are left out. Throws nlohmann::json::exception for a field that is
/// missing or of another type.
[[nodiscard]] std::vector<std::byte> side_from_json(const nlohmann::json& list);

}  // namespace record
