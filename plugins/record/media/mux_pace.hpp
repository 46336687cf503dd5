// For whoever reads files faster than a muxer writes them: waits for it, so that memory stays bounded.
// Single-thread, as Mux::write() is.
#pragma once

#include <string>

#include "mux.hpp"

namespace record {

/// Waits while the muxer holds much and gets on with it. Throws reel::Error{unsupported} where it holds more
/// than kMostHeldBytes because a track pauses.
void pace(const Mux& mux, const std::string& where);

inline constexpr std::size_t kMostHeldBytes = std::size_t{1} << 30U;

}  // namespace record
