#include "metrics_text.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace reel {
namespace {

constexpr double kSecond = 1e9;  // in nanoseconds
constexpr std::array kStates{"pending",  "starting", "running",  "backing off", "draining",
                             "stopping", "killing",  "finished", "failed",      "stopped"};

// Of the character of UTF-8 that `text` begins with; 0 where it begins with none.
// @see RFC 3629, section 4
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const bool too_long = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool no_character = (first == 0xED && byte(1) >= 0xA0) || (first == 0xF4 && byte(1) >= 0x90);
  return too_long || no_character ? 0 : size;
}

// What a scraper takes as text: no broken UTF-8, for one byte of it would cost the whole scrape.
std::string clean(std::string_view text, bool quoted) {
  std::string clean;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    const std::size_t size = character_bytes(rest);
    const char c = rest.front();
    if (c == '\\')
      clean += "\\\\";
    else if (c == '"' && quoted)
      clean += "\\\"";
    else if (c == '\n')
      clean += "\\n";
    else if (size == 0)
      clean += "\xEF\xBF\xBD";  // U+FFFD
    else if (size == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f))
      clean += '?';
    else
      clean += rest.substr(0, size);
    i += std::max<std::size_t>(size, 1);
  }
  return clean;
}

using Labels = std::vector<std::pair<const char*, std::string_view>>;

std::string text_of(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels)
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, clean(value, true));
  return "{" + text + "}";
}

// The families in the order of their first sample; all samples of one stand together.
class Exposition {
 public:
  /// Left out are samples of a name that another kind has already, and a second one of the same labels: it
  /// would cost the whole scrape.
  void add(const std::string& name, const char* kind, std::string_view help, const Labels& labels,
           double value, const char* suffix = "") {
    const auto [found, added] = places_.try_emplace(name, families_.size());
    if (added)
      families_.push_back(
          {kind, fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, clean(help, false), kind)});
    Family& family = families_[found->second];
    if (std::string_view(family.kind) != kind) return;
    const std::string series = fmt::format("{}{}{}", name, suffix, text_of(labels));
    if (series_.insert(series).second) family.text += fmt::format("{} {}\n", series, value);
  }

  [[nodiscard]] std::string text() const {
    std::string text;
    for (const Family& family : families_) text += family.text;
    return text;
  }

 private:
  struct Family {
    const char* kind;
    std::string text;
  };
  std::vector<Family> families_;
  std::map<std::string, std::size_t> places_;
  std::set<std::string> series_;
};

// One stage's, or one of its streams'.
class Writer {
 public:
  Writer(Exposition& to, Labels labels) : to_(to), labels_(std::move(labels)) {}

  void counter(const char* name, const char* help, std::uint64_t value) {
    to_.add(name, "counter", help, labels_, static_cast<double>(value));
  }
  void gauge(const char* name, const char* help, double value) {
    to_.add(name, "gauge", help, labels_, value);
  }
  void summary(const char* name, const char* help, std::uint64_t count, std::uint64_t sum_ns,
               std::int64_t median_ns, std::int64_t p99_ns) {
    if (count == 0) return;
    for (const auto& [quantile, value_ns] : {std::pair("0.5", median_ns), std::pair("0.99", p99_ns)}) {
      Labels labels = labels_;
      labels.emplace_back("quantile", quantile);
      to_.add(name, "summary", help, labels, static_cast<double>(value_ns) / kSecond);
    }
    to_.add(name, "summary", help, labels_, static_cast<double>(sum_ns) / kSecond, "_sum");
    to_.add(name, "summary", help, labels_, static_cast<double>(count), "_count");
  }

 private:
  Exposition& to_;
  const Labels labels_;
};

using Heads = std::map<std::string_view, std::uint64_t>;  // by stream: the frame that was given last

void add_pipeline(Exposition& all, const PipelineReport& report, const Health& health) {
  Writer writer(all, {{"pipeline", report.name}});
  writer.gauge("reel_pipeline_healthy", "1 while frames move as /health has it", health.good ? 1 : 0);
  writer.gauge("reel_pipeline_uptime_seconds", "since the pipeline was started", report.seconds);
}

void add_process(Exposition& all, const PipelineReport& report, const StageReport& stage,
                 const StageHealth& health) {
  Writer writer(all, {{"pipeline", report.name}, {"stage", stage.name}});
  for (const char* state : kStates)
    all.add("reel_process_state", "gauge", "1 for the state that the stage is in",
            {{"pipeline", report.name}, {"stage", stage.name}, {"state", state}},
            stage.state == state ? 1 : 0);
  writer.gauge("reel_process_healthy", "0 while the pipeline is not well for this stage",
               bad(health.condition) ? 0 : 1);
  if (health.any_frame)
    writer.gauge("reel_process_last_frame_age_seconds", "since the stage took or gave a frame",
                 static_cast<double>(health.silent_ms) / 1000);
  writer.counter("reel_process_restarts_total", "restarts of the stage", stage.restarts);
  all.add("reel_process_cpu_seconds_total", "counter", "processor time of all its processes",
          {{"pipeline", report.name}, {"stage", stage.name}}, stage.cpu_seconds);
  writer.gauge("reel_process_memory_bytes", "memory of its processes, without rings",
               static_cast<double>(stage.memory_bytes));
  writer.gauge("reel_process_busy_seconds", "how long its present call for one frame takes already",
               static_cast<double>(stage.busy_ms) / 1000);
}

void add_input(Exposition& all, const InputReport& input, Labels labels, const Heads& heads) {
  labels.emplace_back("port", input.port);
  labels.emplace_back("stream", input.stream);
  Writer writer(all, std::move(labels));
  writer.counter("reel_input_frames_total", "frames handed to the stage", input.frames);
  writer.counter("reel_input_verified_frames_total", "of these, with their checksum compared and right",
                 input.verified);
  writer.counter("reel_input_corrupted_frames_total", "frames whose checksum was wrong", input.corrupted);
  writer.counter("reel_input_skipped_frames_total", "frames passed over as the pipeline file wants it",
                 input.skipped);
  writer.counter("reel_input_lapped_frames_total", "frames lost: overwritten before they were read",
                 input.lapped);
  writer.counter("reel_input_connects_total", "writers met", input.connects);
  const auto head = heads.find(input.stream);
  if (input.newest != 0 && head != heads.end() && head->second >= input.newest)
    writer.gauge("reel_input_backlog_frames", "frames given and not yet taken",
                 static_cast<double>(head->second - input.newest));
  writer.summary("reel_input_hop_seconds", "from the writer's publishing to the stage's hands",
                 input.hop_count, input.hop_sum_ns, input.hop_median_ns, input.hop_p99_ns);
  writer.summary("reel_input_latency_seconds", "from the capture to the stage's hands",
                 input.end_to_end_count, input.end_to_end_sum_ns, input.end_to_end_median_ns,
                 input.end_to_end_p99_ns);
}

void add_output(Exposition& all, const OutputReport& output, Labels labels) {
  labels.emplace_back("port", output.port);
  labels.emplace_back("stream", output.stream);
  Writer writer(all, std::move(labels));
  writer.counter("reel_output_frames_total", "frames published", output.frames);
  writer.counter("reel_output_bytes_total", "bytes of their payload", output.bytes);
  writer.counter("reel_output_waits_total", "times that the stage had to wait for readers", output.waits);
  writer.counter("reel_output_demoted_readers_total", "lossless readers that were too slow for too long",
                 output.demoted);
}

void add_own(Exposition& all, const MetricReport& metric, Labels labels) {
  if (!metric.stream.empty()) labels.emplace_back("stream", metric.stream);
  all.add("reel_stage_" + metric.name + (metric.counter ? "_total" : ""),
          metric.counter ? "counter" : "gauge", metric.help, labels, metric.value);
}

}  // namespace

std::string metrics_text(const PipelineReport& report, const Health& health) {
  Exposition all;
  add_pipeline(all, report, health);
  Heads heads;
  for (const StageHealth& known : health.stages)
    for (const OutputReport& output : report.stages[known.index].outputs)
      if (output.newest != 0) heads[output.stream] = output.newest;
  for (const StageHealth& known : health.stages) {
    const StageReport& stage = report.stages[known.index];
    const Labels labels{{"pipeline", report.name}, {"stage", stage.name}};
    add_process(all, report, stage, known);
    for (const InputReport& input : stage.inputs) add_input(all, input, labels, heads);
    for (const OutputReport& output : stage.outputs) add_output(all, output, labels);
    for (const MetricReport& metric : stage.metrics) add_own(all, metric, labels);
  }
  return all.text();
}

}  // namespace reel
