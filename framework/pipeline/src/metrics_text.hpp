// A pipeline's numbers for Prometheus (text exposition format 0.0.4): `GET /metrics`. Pure. Names, and what
// each number means, are in configs/METRICS.md. Names and numbers alone go into it: no option's value, no
// error's text, which may hold what nobody else should read.
#pragma once

#include "health.hpp"

#include <string>

#include <reel/pipeline/report.hpp>

namespace reel {

inline constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

/// `health` tells which stages there are: those that were taken out are left out.
[[nodiscard]] std::string metrics_text(const PipelineReport& report, const Health& health);

}  // namespace reel
