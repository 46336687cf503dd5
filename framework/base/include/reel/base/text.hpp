// Small pure functions on text that more than one layer needs. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reel {

/// The candidate nearest to `word` by Damerau-Levenshtein distance, when near enough to be a likely slip (a
/// third of the word's length, at least 2). Nothing else is suggested.
[[nodiscard]] std::optional<std::string> nearest_name(std::string_view word,
                                                      std::span<const std::string> candidates);

/// "a, b or c"; empty for no items.
[[nodiscard]] std::string join_or(std::span<const std::string> items);

/// "6.2 MB", "12 kB", "7 B": decimal units, two significant figures or more.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

/// `text` as it may go to a terminal: control characters as \x1b, those of layout (tab, newline) as they are.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace reel
