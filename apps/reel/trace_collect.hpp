// What the stages of a running pipeline tell of themselves while they are traced, gathered from their pages.
// Single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include <sys/types.h>

#include <reel/pipeline/control.hpp>
#include <reel/stats/stage_page.hpp>

/// Frames that an input did not get, since the trace began.
struct LossSample {
  std::int64_t time_ns = 0;  // CLOCK_MONOTONIC
  std::size_t input = 0;
  std::uint64_t skipped = 0, lapped = 0, corrupted = 0;
};

/// A stage, over all its processes; one whose streams were changed meanwhile is here twice.
struct StageTraces {
  std::string stage, use;
  bool traced = true;                        // false: of what it runs no spans come
  std::uint32_t pid = 0;                     // of its newest process; 0: it has had none
  std::vector<std::string> inputs, outputs;  // streams, as Span::port counts them
  std::vector<reel::Span> spans;             // as they were added
  std::uint64_t lost = 0;                    // spans
  std::vector<LossSample> losses;            // where something changed
};

struct Traces {
  std::string pipeline;
  std::int64_t began_ns = 0, ended_ns = 0;  // CLOCK_MONOTONIC
  std::deque<StageTraces> stages;

  [[nodiscard]] std::size_t spans() const noexcept;
  [[nodiscard]] std::uint64_t lost() const noexcept;
};

class TraceCollector {
 public:
  static constexpr std::size_t kMostSpans = 1'000'000;  // about 400 MB of text

  /// The stages write spans for as long as `control` is there. Throws Error as PipelineControl::trace does.
  TraceCollector(reel::PipelineControl& control, std::string pipeline);

  /// Takes what has come. To be called again and again, some ten times a second at least: a stage keeps its
  /// newest 16384 spans.
  void look();
  /// Finds stages that were added. Throws Error{closed} once the pipeline has ended.
  void find_stages();
  [[nodiscard]] bool full() const noexcept { return traces_.spans() >= kMostSpans; }
  /// A last look, and what there is then.
  [[nodiscard]] Traces finish();

 private:
  struct Source {
    dev_t device;
    ino_t inode;
    reel::StagePageView view;
    reel::SpanReader reader;
    std::vector<LossSample> first, last;  // an entry an input, as the page counts
  };

  void add(reel::TracedStage stage, reel::SpanReader::From from);
  void look_at_ports(Source& source, StageTraces& stage);
  void look_at_losses(Source& source, StageTraces& stage, std::int64_t now_ns);

  reel::PipelineControl& control_;
  Traces traces_;
  std::deque<Source> sources_;  // of traces_.stages, in that order
};
