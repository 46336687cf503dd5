#include "stage_trace.hpp"

#include <unistd.h>

namespace reel {
namespace {

Span span_of(SpanKind kind, std::size_t port, std::int64_t begin_ns, std::int64_t end_ns) noexcept {
  Span span;
  span.kind = kind;
  span.port = static_cast<std::uint8_t>(port);
  span.begin_ns = begin_ns;
  span.end_ns = end_ns;
  return span;
}

Span span_of(SpanKind kind, std::size_t input, const Frame& frame, std::int64_t begin_ns,
             std::int64_t end_ns) noexcept {
  Span span = span_of(kind, input, begin_ns, end_ns);
  span.sequence = frame.sequence();
  span.publish_ns = frame.publish_ns();
  span.pts_ns = frame.info().pts_ns;
  return span;
}

}  // namespace

StageTrace::StageTrace(StagePage& page) noexcept
    : page_(page),
      pid_(static_cast<std::uint32_t>(::getpid())),
      loop_tid_(static_cast<std::uint32_t>(::gettid())) {}

void StageTrace::waited(std::size_t input, const Frame& frame, std::int64_t begin_ns,
                        std::int64_t end_ns) noexcept {
  add(span_of(SpanKind::wait, input, frame, begin_ns, end_ns));
}

void StageTrace::processed(std::size_t input, const Frame& frame, std::int64_t begin_ns,
                           std::int64_t end_ns) noexcept {
  add(span_of(SpanKind::process, input, frame, begin_ns, end_ns));
}

void StageTrace::produced(std::int64_t begin_ns, std::int64_t end_ns) noexcept {
  add(span_of(SpanKind::produce, 0, begin_ns, end_ns));
}

void StageTrace::add(Span span) noexcept {
  span.pid = pid_;
  span.tid = static_cast<std::uint32_t>(::gettid());
  if (span.tid == loop_tid_) span.call = call_;  // the loop's thread alone looks at it
  add_span(page_.spans(), span);
}

void OutputTrace::published(const PublishTimes& times) noexcept {
  Span span = span_of(SpanKind::publish, output_, times.begin_ns, times.end_ns);
  span.sequence = times.sequence;
  span.publish_ns = times.publish_ns;
  span.pts_ns = times.pts_ns;
  trace_.add(span);
}

void OutputTrace::waited(std::int64_t begin_ns, std::int64_t end_ns) noexcept {
  trace_.add(span_of(SpanKind::slot, output_, begin_ns, end_ns));
}

}  // namespace reel
