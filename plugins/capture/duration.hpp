// Times as options give them: "2s", "500ms", "1.5min", "1h", or a number of seconds, as pipeline files do.
// Pure.
#pragma once

#include <cstdint>
#include <string>

namespace capture {

/// In milliseconds, 0 to 24 hours. Throws reel::Error{bad_config} naming `option` and what may be written.
[[nodiscard]] std::int64_t duration_ms(const std::string& option, const std::string& text);

}  // namespace capture
