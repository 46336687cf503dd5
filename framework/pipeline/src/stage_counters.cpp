#include "stage_counters.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <string>
#include <utility>

namespace reel {
namespace {

std::string bounded_text(const std::array<char, 64>& text) {
  return std::string(text.begin(), std::find(text.begin(), text.end(), '\0'));
}

// Counters stand each for itself: relaxed, as stage_page.hpp says.
std::uint64_t value(const std::atomic<std::uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

// SYNC page.ports: acquire, pairs with the stage's release once the names of its ports are written.
std::size_t bounded_count(const std::atomic<std::uint32_t>& count) {
  return std::min<std::size_t>(count.load(std::memory_order_acquire), kMaxPorts);
}

InputReport input_report(const InputCounters& counters) {
  InputReport input;
  input.port = bounded_text(counters.port);
  input.stream = bounded_text(counters.stream);
  input.frames = value(counters.frames);
  input.verified = value(counters.verified);
  input.corrupted = value(counters.corrupted);
  input.skipped = value(counters.skipped);
  input.lapped = value(counters.lapped);
  input.connects = value(counters.connects);
  input.hop_median_ns = counters.hop.quantile(0.5);
  input.hop_p99_ns = counters.hop.quantile(0.99);
  input.end_to_end_median_ns = counters.end_to_end.quantile(0.5);
  input.end_to_end_p99_ns = counters.end_to_end.quantile(0.99);
  input.hop_count = counters.hop.count();
  input.hop_sum_ns = counters.hop.sum();
  input.end_to_end_count = counters.end_to_end.count();
  input.end_to_end_sum_ns = counters.end_to_end.sum();
  input.newest = value(counters.newest);
  return input;
}

OutputReport output_report(const OutputCounters& counters) {
  OutputReport output;
  output.port = bounded_text(counters.port);
  output.stream = bounded_text(counters.stream);
  output.frames = value(counters.frames);
  output.bytes = value(counters.bytes);
  output.waits = value(counters.waits);
  output.demoted = value(counters.demoted);
  output.newest = value(counters.newest);
  output.blocked = counters.acquiring.load(std::memory_order_relaxed) != 0;
  return output;
}

}  // namespace

void read_counters(const StagePage& page, StageReport& report) {
  for (std::size_t i = 0; i < bounded_count(page.input_count); ++i)
    report.inputs.push_back(input_report(page.inputs[i]));
  for (std::size_t i = 0; i < bounded_count(page.output_count); ++i)
    report.outputs.push_back(output_report(page.outputs[i]));
  report.blocked = waits_for_readers(page);
  for (MetricReading& metric : read_metrics(page.metrics))
    report.metrics.push_back({std::move(metric.name), std::move(metric.stream), std::move(metric.help),
                              metric.kind == MetricKind::counter, metric.value});
}

std::uint64_t frames_moved(const StagePage& page) noexcept {
  std::uint64_t frames = 0;
  // A join may let many go before it has a set.
  for (std::size_t i = 0; i < bounded_count(page.input_count); ++i)
    frames += value(page.inputs[i].frames) + value(page.inputs[i].skipped);
  for (std::size_t i = 0; i < bounded_count(page.output_count); ++i) frames += value(page.outputs[i].frames);
  return frames;
}

bool waits_for_readers(const StagePage& page) noexcept {
  for (std::size_t i = 0; i < bounded_count(page.output_count); ++i)
    if (page.outputs[i].acquiring.load(std::memory_order_relaxed) != 0) return true;
  return false;
}

}  // namespace reel
