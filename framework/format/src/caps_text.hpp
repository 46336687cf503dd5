// The grammar of GStreamer caps text, without its meaning: one structure taken apart into its media type and
// fields. Called by Format::from_caps() alone. Pure functions; the text may be anybody's.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace reel::caps {

struct Field {
  std::string_view name;
  std::string_view type;  // of "(type)value"; empty where the text does not say
  std::string value;      // quotes and escapes undone; as written where the value is not fixed
  bool fixed = true;      // false: a range, list or array
  std::size_t begin = 0;  // the comma before the field and one past its value, in the text
  std::size_t end = 0;
};

struct Structure {
  std::string_view media_type;  // "video/x-raw"
  std::vector<Field> fields;    // no name twice

  [[nodiscard]] const Field* find(std::string_view name) const noexcept;
};

/// The result refers into `text`. Throws Error{bad_argument} for text of another form.
[[nodiscard]] Structure parse(std::string_view text);

/// `text` as a message may quote it: cut to its beginning, what cannot be printed replaced.
[[nodiscard]] std::string shown(std::string_view text);

/// Throws Error{bad_argument} that quotes the beginning of `text`. Whatever of the text is in `why` went
/// through shown().
[[noreturn]] void reject(std::string_view text, const std::string& why);

}  // namespace reel::caps
