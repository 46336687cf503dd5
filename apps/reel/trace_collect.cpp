#include "trace_collect.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <sys/stat.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>

namespace {

// The page's bytes are another process's: nothing of them is believed that is not bounded here.

std::string bounded_text(const std::array<char, 64>& text) {
  return std::string(text.begin(), std::find(text.begin(), text.end(), '\0'));
}

// SYNC page.ports: acquire, pairs with the stage's release once the names of its ports are written.
std::size_t bounded_count(const std::atomic<std::uint32_t>& count) {
  return std::min<std::size_t>(count.load(std::memory_order_acquire), reel::kMaxPorts);
}

std::uint64_t value(const std::atomic<std::uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

template <typename Ports>
std::vector<std::string> streams_of(const Ports& ports, std::size_t count) {
  std::vector<std::string> streams;
  for (std::size_t i = 0; i < count; ++i) streams.push_back(bounded_text(ports[i].stream));
  return streams;
}

std::vector<LossSample> losses_of(const reel::StagePage& page, std::int64_t now_ns) {
  std::vector<LossSample> losses;
  for (std::size_t i = 0; i < bounded_count(page.input_count); ++i)
    losses.push_back({now_ns, i, value(page.inputs[i].skipped), value(page.inputs[i].lapped),
                      value(page.inputs[i].corrupted)});
  return losses;
}

bool same_counts(const LossSample& one, const LossSample& other) {
  return one.skipped == other.skipped && one.lapped == other.lapped && one.corrupted == other.corrupted;
}

}  // namespace

std::size_t Traces::spans() const noexcept {
  std::size_t all = 0;
  for (const StageTraces& stage : stages) all += stage.spans.size();
  return all;
}

std::uint64_t Traces::lost() const noexcept {
  std::uint64_t all = 0;
  for (const StageTraces& stage : stages) all += stage.lost;
  return all;
}

TraceCollector::TraceCollector(reel::PipelineControl& control, std::string pipeline) : control_(control) {
  traces_.pipeline = std::move(pipeline);
  traces_.began_ns = reel::monotonic_ns();
  for (reel::TracedStage& stage : control_.trace()) add(std::move(stage), reel::SpanReader::From::now);
  look();
}

void TraceCollector::find_stages() {
  for (reel::TracedStage& stage : control_.trace()) add(std::move(stage), reel::SpanReader::From::oldest);
}

void TraceCollector::add(reel::TracedStage stage, reel::SpanReader::From from) {
  struct stat status {};
  if (::fstat(stage.page.get(), &status) != 0)
    throw reel::Error(reel::ErrorCode::protocol, "the pipeline named a stage, and gave no page of it",
                      stage.stage);
  const bool known = std::any_of(sources_.begin(), sources_.end(), [&](const Source& source) {
    return source.device == status.st_dev && source.inode == status.st_ino;
  });
  if (known) return;
  reel::StagePageView view = reel::StagePageView::open(std::move(stage.page));
  const reel::StagePage& page = view.page();
  std::vector<LossSample> losses = losses_of(page, reel::monotonic_ns());
  sources_.push_back(
      {status.st_dev, status.st_ino, std::move(view), reel::SpanReader(page.spans(), from), losses, losses});
  StageTraces& traces = traces_.stages.emplace_back();
  traces.stage = std::move(stage.stage);
  traces.use = std::move(stage.use);
  traces.traced = stage.spans;
}

void TraceCollector::look() {
  const std::int64_t now_ns = reel::monotonic_ns();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    StageTraces& stage = traces_.stages[i];
    sources_[i].reader.take(stage.spans);
    look_at_ports(sources_[i], stage);
    look_at_losses(sources_[i], stage, now_ns);
  }
}

// A stage that starts has none at first.
void TraceCollector::look_at_ports(Source& source, StageTraces& stage) {
  const reel::StagePage& page = source.view.page();
  const std::size_t inputs = bounded_count(page.input_count), outputs = bounded_count(page.output_count);
  if (inputs != stage.inputs.size()) stage.inputs = streams_of(page.inputs, inputs);
  if (outputs != stage.outputs.size()) stage.outputs = streams_of(page.outputs, outputs);
  if (const std::uint32_t pid = page.pid.load(std::memory_order_relaxed); pid != 0) stage.pid = pid;
}

void TraceCollector::look_at_losses(Source& source, StageTraces& stage, std::int64_t now_ns) {
  const std::vector<LossSample> now = losses_of(source.view.page(), now_ns);
  for (std::size_t i = source.first.size(); i < now.size(); ++i) {
    source.first.push_back(now[i]);
    source.last.push_back(now[i]);
  }
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (same_counts(now[i], source.last[i])) continue;
    source.last[i] = now[i];
    const LossSample& first = source.first[i];
    stage.losses.push_back({now_ns, i, now[i].skipped - first.skipped, now[i].lapped - first.lapped,
                            now[i].corrupted - first.corrupted});
  }
}

Traces TraceCollector::finish() {
  look();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    StageTraces& stage = traces_.stages[i];
    sources_[i].reader.take_last(stage.spans);
    stage.lost = sources_[i].reader.lost();
    // Begun and over before: what a ring held of another trace, or of a stage's past.
    std::erase_if(stage.spans, [&](const reel::Span& span) { return span.end_ns < traces_.began_ns; });
  }
  traces_.ended_ns = reel::monotonic_ns();
  return std::move(traces_);
}
