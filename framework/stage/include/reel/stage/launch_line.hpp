// GStreamer launch lines as text: where a line reads and writes streams that it does not name, and the line
// with what fills these places. Knows no GStreamer: `reel check` looks at lines where there is none, too.
// Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace reel {

/// A reelsrc or reelsink in a launch line that is given no property `stream`.
struct OpenEnd {
  bool source = false;     // reelsrc
  std::size_t behind = 0;  // offset in the line, right behind the element's name

  bool operator==(const OpenEnd&) const = default;
};

/// In the line's order. What is quoted, a property's value or a part of a longer word is no element.
[[nodiscard]] std::vector<OpenEnd> open_ends(std::string_view launch);

/// The line with `properties[i]` ("stream=a policy=lossless") behind the name of the i-th open end: in front
/// of what the line itself says of the element, which therefore goes before it. REQUIRES: as many as open
/// ends.
[[nodiscard]] std::string filled_launch(std::string_view launch, const std::vector<std::string>& properties);

}  // namespace reel
