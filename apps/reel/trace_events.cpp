#include "trace_events.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <reel/base/checksum.hpp>
#include <reel/base/clock.hpp>

namespace {

using reel::Span;
using reel::SpanKind;

/// A frame, told from all others of the trace.
using FrameId = std::tuple<std::string_view, std::uint64_t, std::int64_t>;  // stream, sequence, publish_ns

struct Place {
  std::uint32_t pid, tid;
};

std::string_view name_of(SpanKind kind) noexcept {
  switch (kind) {
    case SpanKind::wait: return "wait";
    case SpanKind::process: return "process";
    case SpanKind::produce: return "produce";
    case SpanKind::publish: return "publish";
    case SpanKind::slot: return "wait for slot";
  }
  return "";
}

bool is_of_input(SpanKind kind) noexcept {
  return kind == SpanKind::wait || kind == SpanKind::process;
}

std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string microseconds(std::int64_t time_ns) {
  if (time_ns < 0) return "0";  // of a frame that says so
  return fmt::format("{}.{:03}", time_ns / 1000, time_ns % 1000);
}

// Which stream it is of; empty for one of none.
std::string_view stream_of(const StageTraces& stage, const Span& span) noexcept {
  const auto& streams = is_of_input(span.kind) ? stage.inputs : stage.outputs;
  return span.kind != SpanKind::produce && span.port < streams.size() ? std::string_view(streams[span.port])
                                                                      : std::string_view();
}

// Whoever makes the trace again gets the same.
std::uint64_t flow_id(const FrameId& frame, std::string_view reader, std::uint8_t port) {
  const auto& [stream, sequence, publish_ns] = frame;
  const std::string text = fmt::format("{}/{}/{}/{}/{}", stream, sequence, publish_ns, reader, port);
  return reel::checksum(std::as_bytes(std::span(text)));
}

class Events {
 public:
  explicit Events(const Traces& traces) : traces_(traces) {
    for (const StageTraces& stage : traces.stages)
      for (const Span& span : stage.spans)
        if (span.kind == SpanKind::publish) note_publish(stage, span);
    for (auto& [stream, times] : published_) std::sort(times.begin(), times.end());
  }

  std::string text() {
    for (std::size_t i = 0; i < traces_.stages.size(); ++i) {
      name_processes(traces_.stages[i], i);
      add_spans(traces_.stages[i]);
      add_losses(traces_.stages[i]);
    }
    return fmt::format(
        "{{\"displayTimeUnit\":\"ns\",\"otherData\":{{\"pipeline\":{},\"clock\":\"CLOCK_MONOTONIC\","
        "\"began_us\":{},\"ended_us\":{},\"spans\":{},\"lost_spans\":{}}},\"traceEvents\":[{}\n]}}\n",
        json_text(traces_.pipeline), microseconds(traces_.began_ns), microseconds(traces_.ended_ns),
        traces_.spans(), traces_.lost(), out_);
  }

 private:
  void note_publish(const StageTraces& stage, const Span& span) {
    const std::string_view stream = stream_of(stage, span);
    writers_[{stream, span.sequence, span.publish_ns}] = {span.pid, span.tid};
    published_[stream].emplace_back(span.publish_ns, span.sequence);
  }

  template <typename... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    out_ += out_.empty() ? "\n" : ",\n";
    fmt::format_to(std::back_inserter(out_), format, std::forward<Values>(values)...);
  }

  void name_processes(const StageTraces& stage, std::size_t place) {
    std::set<std::uint32_t> pids;
    std::set<std::pair<std::uint32_t, std::uint32_t>> loops, others;
    for (const Span& span : stage.spans) {
      pids.insert(span.pid);
      (span.call != 0 ? loops : others).insert({span.pid, span.tid});
    }
    if (stage.pid != 0) pids.insert(stage.pid);
    for (const std::uint32_t pid : pids) {
      const std::string name = stage.use.empty() ? stage.stage : stage.stage + " (" + stage.use + ")";
      add(R"({{"ph":"M","name":"process_name","pid":{},"args":{{"name":{}}}}})", pid, json_text(name));
      add(R"({{"ph":"M","name":"process_sort_index","pid":{},"args":{{"sort_index":{}}}}})", pid, place);
      if (!stage.traced)
        add(R"({{"ph":"M","name":"process_labels","pid":{},"args":{{"labels":{}}}}})", pid,
            json_text("no spans: it runs a program of its own"));
    }
    for (const auto& [pid, tid] : loops) name_thread(pid, tid, "the stage's loop");
    for (const auto& [pid, tid] : others)
      if (!loops.contains({pid, tid})) name_thread(pid, tid, "a thread of the plugin's");
  }

  void name_thread(std::uint32_t pid, std::uint32_t tid, std::string_view name) {
    add(R"({{"ph":"M","name":"thread_name","pid":{},"tid":{},"args":{{"name":{}}}}})", pid, tid,
        json_text(name));
  }

  // Those around others before them: viewers nest spans that begin together in the order in which they come.
  void add_spans(const StageTraces& stage) {
    std::vector<Span> spans = stage.spans;
    std::stable_sort(spans.begin(), spans.end(), [](const Span& one, const Span& other) {
      return std::pair(one.begin_ns, -one.end_ns) < std::pair(other.begin_ns, -other.end_ns);
    });
    for (std::size_t i = 0; i < spans.size();) {
      // The frames of a set: spans of one call and one time.
      std::size_t end = i + 1;
      while (spans[i].kind == SpanKind::process && end < spans.size() && same_call(spans[i], spans[end]))
        ++end;
      const std::span<const Span> call(&spans[i], end - i);
      add_span(stage, call);
      if (call.front().kind == SpanKind::process)
        for (const Span& span : call) add_taken(stage, span);
      i = end;
    }
  }

  static bool same_call(const Span& one, const Span& other) noexcept {
    return one.kind == other.kind && one.pid == other.pid && one.call == other.call &&
           one.begin_ns == other.begin_ns;
  }

  void add_span(const StageTraces& stage, std::span<const Span> call) {
    const Span& span = call.front();
    std::string arguments = fmt::format("\"stage\":{}", json_text(stage.stage));
    if (span.call != 0) arguments += fmt::format(",\"call\":{}", span.call);
    if (call.size() == 1) {
      arguments += frame_text(stage, span);
    } else {
      std::string frames;
      for (const Span& one : call)
        frames +=
            fmt::format("{}{{\"input\":{}{}}}", frames.empty() ? "" : ",", one.port, frame_text(stage, one));
      arguments += fmt::format(",\"frames\":[{}]", frames);
    }
    add(R"({{"ph":"X","name":"{0}","cat":"{0}","ts":{1},"dur":{2},"pid":{3},"tid":{4},"args":{{{5}}}}})",
        name_of(span.kind), microseconds(span.begin_ns), microseconds(span.end_ns - span.begin_ns), span.pid,
        span.tid, arguments);
  }

  // Each field with its comma in front.
  static std::string frame_text(const StageTraces& stage, const Span& span) {
    const std::string_view stream = stream_of(stage, span);
    std::string text;
    if (!stream.empty()) text = fmt::format(",\"stream\":{}", json_text(stream));
    if (span.sequence == 0) return text;
    text += fmt::format(",\"sequence\":{},\"publish_us\":{}", span.sequence, microseconds(span.publish_ns));
    if (span.pts_ns != reel::kNoTime) text += fmt::format(",\"pts_ns\":{}", span.pts_ns);
    return text;
  }

  // The arrow from whoever published it, and how many are behind it.
  void add_taken(const StageTraces& stage, const Span& span) {
    const std::string_view stream = stream_of(stage, span);
    const auto writer = writers_.find({stream, span.sequence, span.publish_ns});
    if (writer == writers_.end()) return;  // not of this trace
    const std::string name = json_text(stream);
    const std::uint64_t id = flow_id(writer->first, stage.stage, span.port);
    add(R"({{"ph":"s","name":{},"cat":"frame","id":"0x{:x}","ts":{},"pid":{},"tid":{}}})", name, id,
        microseconds(span.publish_ns), writer->second.pid, writer->second.tid);
    add(R"({{"ph":"f","bp":"e","name":{},"cat":"frame","id":"0x{:x}","ts":{},"pid":{},"tid":{}}})", name, id,
        microseconds(span.begin_ns), span.pid, span.tid);
    const auto& times = published_[stream];
    const auto after = std::upper_bound(times.begin(), times.end(),
                                        std::pair(span.begin_ns, std::numeric_limits<std::uint64_t>::max()));
    // Another life of its writer has counted from 1 again.
    const std::uint64_t newest = after == times.begin() ? 0 : std::prev(after)->second;
    const std::uint64_t behind = newest > span.sequence ? newest - span.sequence : 0;
    add(R"({{"ph":"C","name":{},"ts":{},"pid":{},"args":{{"frames":{}}}}})",
        json_text(fmt::format("behind on {}", stream)), microseconds(span.begin_ns), span.pid, behind);
  }

  void add_losses(const StageTraces& stage) {
    for (const LossSample& loss : stage.losses) {
      if (loss.input >= stage.inputs.size() || stage.pid == 0) continue;
      add(R"({{"ph":"C","name":{},"ts":{},"pid":{},"args":{{"skipped":{},"lapped":{},"corrupted":{}}}}})",
          json_text(fmt::format("lost of {}", stage.inputs[loss.input])), microseconds(loss.time_ns),
          stage.pid, loss.skipped, loss.lapped, loss.corrupted);
    }
  }

  const Traces& traces_;
  std::map<FrameId, Place> writers_;
  std::map<std::string_view, std::vector<std::pair<std::int64_t, std::uint64_t>>> published_;  // when, which
  std::string out_;
};

}  // namespace

std::string trace_json(const Traces& traces) {
  return Events(traces).text();
}
