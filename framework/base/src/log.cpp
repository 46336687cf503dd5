#include <reel/base/log.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>

#include <nlohmann/json.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace reel {
namespace {

struct LogState {
  LogOptions options;
  std::shared_ptr<spdlog::logger> logger;
};

std::shared_ptr<spdlog::logger> make_logger(const LogOptions& options) {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("reel", std::move(sink));
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  logger->set_pattern(options.style == LogStyle::text ? "%H:%M:%S.%e %^%-7l%$ %v" : "%v");
  return logger;
}

// One per process: the log is the process's standard error.
LogState& state() {
  static LogState instance{LogOptions{}, make_logger(LogOptions{})};
  return instance;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

constexpr std::array<const char*, 4> kNames{"debug", "info", "warning", "error"};
constexpr std::array<char, 4> kLetters{'D', 'I', 'W', 'E'};

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, millis);
}

std::string json_line(std::string_view source, LogLevel level, std::string_view message) {
  nlohmann::ordered_json line;
  line["time"] = utc_now();
  line["level"] = kNames[static_cast<std::size_t>(level)];
  line["stage"] = source;
  line["message"] = message;
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// The supervisor reads lines: each says its level, so that a message of several stays one thing.
void log_relay_lines(spdlog::logger& logger, LogLevel level, std::string_view message) {
  do {
    const std::size_t end = std::min(message.find('\n'), message.size());
    logger.log(spdlog_level(level),
               fmt::format("<{}> {}", kLetters[static_cast<std::size_t>(level)], message.substr(0, end)));
    message.remove_prefix(std::min(end + 1, message.size()));
  } while (!message.empty());
}

void write_bare(std::string_view message) noexcept {
  std::fwrite(message.data(), 1, message.size(), stderr);
  std::fputc('\n', stderr);
}

}  // namespace

void configure_logging(const LogOptions& options) {
  state().logger = make_logger(options);
  state().options = options;
}

void log(LogLevel level, std::string_view message) noexcept {
  try {
    log_as(state().options.source, level, message);
  } catch (...) {  // no memory for the first line
    write_bare(message);
  }
}

void log_as(std::string_view source, LogLevel level, std::string_view message) noexcept {
  try {
    LogState& log = state();
    if (level < log.options.least) return;
    const auto at = spdlog_level(level);
    switch (log.options.style) {
      case LogStyle::text:
        log.logger->log(at, source.empty() ? std::string(message) : fmt::format("{}: {}", source, message));
        break;
      case LogStyle::json: log.logger->log(at, json_line(source, level, message)); break;
      case LogStyle::relay: log_relay_lines(*log.logger, level, message); break;
    }
  } catch (...) {  // out of memory while logging: the line still goes out, bare
    write_bare(message);
  }
}

RelayLine parse_relay_line(std::string_view line) noexcept {
  if (line.size() >= 4 && line[0] == '<' && line[2] == '>' && line[3] == ' ') {
    for (std::size_t i = 0; i < kLetters.size(); ++i) {
      if (line[1] == kLetters[i]) return {static_cast<LogLevel>(i), line.substr(4)};
    }
  }
  return {LogLevel::info, line};
}

}  // namespace reel
