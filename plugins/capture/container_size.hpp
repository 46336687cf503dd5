// Tells a truncated media file from its own headers, which GStreamer's demuxers do not: they end as if all
// was well. Reads a few bytes a box, trusts none of them. Single-thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace capture {

struct SizeMismatch {
  std::uint64_t promised_bytes = 0;  // at least; saturated
  std::uint64_t actual_bytes = 0;
};

/// Looks at ISO media (MP4, MOV: ISO/IEC 14496-12 section 4.2, top-level boxes), RIFF (AVI, WAV) and Matroska
/// (RFC 8794 and RFC 9559: the size of the Segment). nullopt for a file that holds what it promises, promises
/// nothing, is of another kind, or cannot be read.
[[nodiscard]] std::optional<SizeMismatch> find_truncation(const std::string& path);

}  // namespace capture
