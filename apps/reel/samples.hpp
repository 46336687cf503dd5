// Two looks at a running pipeline, some time apart, and what happened between them. Single-thread; taking
// them blocks.
#pragma once

#include <cstdint>
#include <string>

#include <reel/pipeline/control.hpp>

inline constexpr int kRateWindow_ms = 1000;

struct PipelineSample {
  reel::PipelineStatus before, now;

  /// Seconds between the looks, by the pipeline's own clock.
  [[nodiscard]] double seconds() const;
  /// False for one that was taken out, also where another of its name has come since. REQUIRES: of `now`.
  [[nodiscard]] bool in_pipeline(const reel::StageReport& stage) const;
  /// Frames a second that its writer has published; by its readers' counts where the writer is a program.
  [[nodiscard]] double rate_of(const std::string& stream) const;
  [[nodiscard]] double bytes_per_second_of(const std::string& stream) const;
  [[nodiscard]] double cpu_percent(const std::string& stage) const;  // of one core
  /// Frames a second that an input has taken.
  [[nodiscard]] double rate_of(const std::string& stage, const reel::InputReport& input) const;
};

/// Throws what PipelineControl does.
[[nodiscard]] PipelineSample sample_pipeline(const std::string& name, int window_ms);
