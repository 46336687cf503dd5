#include "control_wire.hpp"
#include "wire_number.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <reel/pipeline/report.hpp>

namespace reel {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

constexpr std::array kLevels{std::pair(LogLevel::debug, std::string_view("debug")),
                             std::pair(LogLevel::info, std::string_view("info")),
                             std::pair(LogLevel::warning, std::string_view("warning")),
                             std::pair(LogLevel::error, std::string_view("error"))};

constexpr std::array kCodes{ErrorCode::bad_argument, ErrorCode::bad_config,    ErrorCode::not_found,
                            ErrorCode::in_use,       ErrorCode::refused,       ErrorCode::no_memory,
                            ErrorCode::io,           ErrorCode::no_permission, ErrorCode::protocol,
                            ErrorCode::version,      ErrorCode::timeout,       ErrorCode::closed,
                            ErrorCode::plugin,       ErrorCode::unsupported,   ErrorCode::internal};

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json parsed(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) throw Error(ErrorCode::protocol, "a control message is no JSON object");
  return json;
}

// What is missing in a message, or of another type, is told in the library's words.
template <typename Read>
auto read(std::string_view line, Read&& read_object) {
  try {
    return read_object(parsed(line));
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::protocol, fmt::format("a control message cannot be read: {}", error.what()));
  }
}

Json log_json(const LogLine& line) {
  std::string_view level;
  for (const auto& [value, name] : kLevels)
    if (value == line.level) level = name;
  return {{"time_ns", line.time_ns}, {"source", line.source}, {"level", level}, {"text", line.text}};
}

LogLine log_from(const Json& json) {
  LogLine line{whole_number<std::int64_t>(json.at("time_ns"), "time_ns"), json.at("source"), LogLevel::info,
               json.at("text")};
  const std::string level = json.at("level");
  for (const auto& [value, name] : kLevels)
    if (name == level) line.level = value;
  return line;
}

Json status_json(const PipelineStatus& status) {
  Json streams = Json::array();
  for (const StreamEdges& stream : status.streams)
    streams.push_back({{"stream", stream.stream}, {"writer", stream.writer}, {"readers", stream.readers}});
  return {{"file", status.file},           {"pid", status.pid},
          {"draining", status.draining},   {"stages", status.stages},
          {"streams", std::move(streams)}, {"report", Json::parse(report_json(status.report))}};
}

PipelineStatus status_from(const Json& json) {
  PipelineStatus status{json.at("file"),
                        whole_number<std::uint32_t>(json.at("pid"), "pid"),
                        json.at("draining"),
                        json.at("stages"),
                        {},
                        report_from_json(text_of(json.at("report")))};
  for (const Json& stream : json.at("streams").get_ref<const Json::array_t&>())
    status.streams.push_back({stream.at("stream"), stream.at("writer"), stream.at("readers")});
  return status;
}

Json error_json(const Error& error) {
  return {{"code", to_string(error.code())}, {"message", error.message()}, {"where", error.where()}};
}

Error error_from(const Json& json) {
  const std::string name = json.at("code");
  ErrorCode code = ErrorCode::internal;
  for (const ErrorCode each : kCodes)
    if (to_string(each) == name) code = each;
  return {code, json.at("message").get<std::string>(), json.at("where").get<std::string>()};
}

}  // namespace

std::string to_line(const ControlRequest& request) {
  return text_of({{"reel", kVersion},
                  {"ask", request.ask},
                  {"stage", request.stage},
                  {"file", request.file},
                  {"set", request.overrides},
                  {"lines", request.lines},
                  {"follow", request.follow}});
}

ControlRequest request_from(std::string_view line) {
  return read(line, [](const Json& json) {
    if (const auto version = whole_number<std::int64_t>(json.at("reel"), "reel"); version != kVersion)
      throw Error(ErrorCode::version,
                  fmt::format("the tool speaks version {}, this pipeline {}: use those of one Reel", version,
                              kVersion));
    return ControlRequest{json.at("ask"),
                          json.value("stage", ""),
                          json.value("file", ""),
                          json.value("set", std::vector<std::string>()),
                          json.contains("lines") ? whole_number<std::size_t>(json.at("lines"), "lines") : 0,
                          json.value("follow", false)};
  });
}

std::string to_line(const ControlAnswer& answer) {
  if (answer.log) return text_of({{"log", log_json(*answer.log)}});
  if (answer.page)
    return text_of(
        {{"page",
          {{"stage", answer.page->stage}, {"use", answer.page->use}, {"spans", answer.page->spans}}}});
  if (answer.error) return text_of({{"error", error_json(*answer.error)}});
  Json done{{"lines", answer.lines}};
  if (answer.status) done["status"] = status_json(*answer.status);
  return text_of({{"done", std::move(done)}});
}

ControlAnswer answer_from(std::string_view line) {
  return read(line, [](const Json& json) {
    ControlAnswer answer;
    if (json.contains("log")) {
      answer.log = log_from(json.at("log"));
    } else if (json.contains("page")) {
      const Json& page = json.at("page");
      answer.page = TracedStage{page.at("stage"), page.at("use"), page.at("spans"), {}};
    } else if (json.contains("error")) {
      answer.error = error_from(json.at("error"));
    } else {
      json.at("done").at("lines").get_to(answer.lines);
      if (json.at("done").contains("status")) answer.status = status_from(json.at("done").at("status"));
    }
    return answer;
  });
}

}  // namespace reel
