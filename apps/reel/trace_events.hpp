// A trace as text that trace viewers open: Trace Event Format (Google, "Trace Event Format", the JSON object
// format), as chrome://tracing and ui.perfetto.dev read it. Pure.
#pragma once

#include "trace_collect.hpp"

#include <string>

/// A complete event (X) for each span, one for all frames of a set; flow events (s, f) from the publish of
/// each frame to each of its process(); counters (C) of what an input has before it and has lost; names of
/// processes and threads. `ts` and `dur` are microseconds of CLOCK_MONOTONIC.
[[nodiscard]] std::string trace_json(const Traces& traces);
