// Times and sizes as people write them in pipeline files and on command lines. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reel {

/// Nanoseconds of "2s", "500ms", "20us", "1.5min", "1h", "30d" (24 hours each) or a bare number of seconds.
/// Nullopt for anything else, a negative number, and more than 292 years.
[[nodiscard]] std::optional<std::int64_t> duration_from(std::string_view text) noexcept;
/// What duration_from() reads, for messages.
inline constexpr std::string_view kDurationText =
    "a duration such as 500ms, 2s, 1.5min, 1h, 30d or a number of seconds";

/// Bytes of "4096", "4 kB" (1000), "4 KiB" (1024), B, MB, MiB, GB, GiB, TB, TiB. Nullopt for anything else, a
/// fraction of a byte, and more than 9 PB.
[[nodiscard]] std::optional<std::uint64_t> size_from(std::string_view text) noexcept;
/// What size_from() reads, for messages.
inline constexpr std::string_view kSizeText =
    "a number of bytes, or one with kB, MB, GB, TB, KiB, MiB, GiB or TiB";

/// "1h 2min", "1.5s", "20ms": what duration_from() would read of its first part; three digits at most.
[[nodiscard]] std::string duration_text(std::int64_t nanoseconds);

}  // namespace reel
