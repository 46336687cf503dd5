#include "wire_number.hpp"

#include <string>
#include <type_traits>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <reel/base/error.hpp>
#include <reel/pipeline/report.hpp>

namespace reel {
namespace {

// The fields and their names, for both ways. `Report` is const or not.
template <typename Report, typename Visit>
requires std::is_same_v<std::remove_const_t<Report>, InputReport>
void each_field(Report& report, Visit&& visit) {
  visit("port", report.port);
  visit("stream", report.stream);
  visit("frames", report.frames);
  visit("verified", report.verified);
  visit("corrupted", report.corrupted);
  visit("skipped", report.skipped);
  visit("lapped", report.lapped);
  visit("connects", report.connects);
  visit("hop_median_ns", report.hop_median_ns);
  visit("hop_p99_ns", report.hop_p99_ns);
  visit("end_to_end_median_ns", report.end_to_end_median_ns);
  visit("end_to_end_p99_ns", report.end_to_end_p99_ns);
  visit("hop_count", report.hop_count);
  visit("hop_sum_ns", report.hop_sum_ns);
  visit("end_to_end_count", report.end_to_end_count);
  visit("end_to_end_sum_ns", report.end_to_end_sum_ns);
  visit("newest", report.newest);
}

template <typename Report, typename Visit>
requires std::is_same_v<std::remove_const_t<Report>, OutputReport>
void each_field(Report& report, Visit&& visit) {
  visit("port", report.port);
  visit("stream", report.stream);
  visit("frames", report.frames);
  visit("bytes", report.bytes);
  visit("waits", report.waits);
  visit("demoted", report.demoted);
  visit("newest", report.newest);
}

template <typename Report, typename Visit>
requires std::is_same_v<std::remove_const_t<Report>, MetricReport>
void each_field(Report& report, Visit&& visit) {
  visit("name", report.name);
  visit("stream", report.stream);
  visit("help", report.help);
  visit("counter", report.counter);
  visit("value", report.value);
}

template <typename Report, typename Visit>
requires std::is_same_v<std::remove_const_t<Report>, StageReport>
void each_field(Report& report, Visit&& visit) {
  visit("name", report.name);
  visit("use", report.use);
  visit("state", report.state);
  visit("reason", report.reason);
  visit("pid", report.pid);
  visit("restarts", report.restarts);
  visit("cpu_seconds", report.cpu_seconds);
  visit("cpu_percent", report.cpu_percent);
  visit("memory_bytes", report.memory_bytes);
  visit("busy_ms", report.busy_ms);
  visit("sink", report.sink);
  visit("blocked", report.blocked);
  visit("inputs", report.inputs);
  visit("outputs", report.outputs);
  visit("metrics", report.metrics);
}

template <typename Report, typename Visit>
requires std::is_same_v<std::remove_const_t<Report>, PipelineReport>
void each_field(Report& report, Visit&& visit) {
  visit("name", report.name);
  visit("status", report.status);
  visit("failure", report.failure);
  visit("seconds", report.seconds);
  visit("stages", report.stages);
}

template <typename Value>
struct IsList : std::false_type {};
template <typename Value>
struct IsList<std::vector<Value>> : std::true_type {};

template <typename Report>
nlohmann::ordered_json to_wire(const Report& report) {
  nlohmann::ordered_json wire;
  each_field(report, [&](const char* name, const auto& value) {
    if constexpr (IsList<std::remove_cvref_t<decltype(value)>>::value) {
      wire[name] = nlohmann::ordered_json::array();
      for (const auto& each : value) wire[name].push_back(to_wire(each));
    } else {
      wire[name] = value;
    }
  });
  return wire;
}

template <typename Report>
Report from_wire(const nlohmann::json& wire) {
  Report report;
  each_field(report, [&](const char* name, auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (IsList<Value>::value) {
      for (const nlohmann::json& each : wire.at(name).get_ref<const nlohmann::json::array_t&>())
        value.push_back(from_wire<typename Value::value_type>(each));
    } else if constexpr (std::is_integral_v<Value> && !std::is_same_v<Value, bool>) {
      value = whole_number<Value>(wire.at(name), name);
    } else {
      wire.at(name).get_to(value);
    }
  });
  return report;
}

}  // namespace

std::string report_json(const PipelineReport& report) {
  return to_wire(report).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

PipelineReport report_from_json(std::string_view text) {
  try {
    return from_wire<PipelineReport>(nlohmann::json::parse(text));
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::protocol, fmt::format("a pipeline's report cannot be read: {}", error.what()));
  }
}

}  // namespace reel
