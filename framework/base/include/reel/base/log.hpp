// One log line at a time to standard error, for people or (as JSON) for machines. Thread-safe after
// configure_logging().
#pragma once

#include <string>
#include <string_view>

namespace reel {

enum class LogLevel { debug, info, warning, error };

enum class LogStyle {
  text,   // "12:03:04.567 warning camera: message", coloured on a terminal
  json,   // {"time":"...","level":"warning","stage":"camera","message":"..."}
  relay,  // "<W> message": what a stage process writes for its supervisor to parse, prefix and print
};

struct LogOptions {
  LogStyle style = LogStyle::text;
  LogLevel least = LogLevel::info;
  std::string source;  // printed with each line: the stage or program
};

/// Call once at the start of main(), before other threads run. Without it: text, info, no source.
void configure_logging(const LogOptions& options);

void log(LogLevel level, std::string_view message) noexcept;

/// The same, in the name of another source: a supervisor printing a line of its stage.
void log_as(std::string_view source, LogLevel level, std::string_view message) noexcept;

inline void log_debug(std::string_view message) noexcept {
  log(LogLevel::debug, message);
}
inline void log_info(std::string_view message) noexcept {
  log(LogLevel::info, message);
}
inline void log_warning(std::string_view message) noexcept {
  log(LogLevel::warning, message);
}
inline void log_error(std::string_view message) noexcept {
  log(LogLevel::error, message);
}

/// Parses a relay line ("<W> text"). A line of any other form is level info as it stands.
struct RelayLine {
  LogLevel level;
  std::string_view text;
};
[[nodiscard]] RelayLine parse_relay_line(std::string_view line) noexcept;

}  // namespace reel
