// Which container a file is, by its first bytes, and whether it was finished. Thread-safe.
#pragma once

#include <string>

#include "coding.hpp"

namespace record {

/// Throws reel::Error{not_found | no_permission | io} for a file that cannot be opened,
/// reel::Error{protocol} for one that is neither Matroska nor MP4.
[[nodiscard]] Container container_of(const std::string& path);

/// Its end was written, and says how long it is. Demuxers guess where it was not.
[[nodiscard]] bool is_finished(const std::string& path, Container container);

/// It holds no media and never did: what a muxer writes before the first of it is whole, and nothing comes
/// after that.
[[nodiscard]] bool is_header_alone(const std::string& path, Container container);

}  // namespace record
