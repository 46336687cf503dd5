// What a stage's page says, as a report. Thread-safe.
#pragma once

#include <cstdint>

#include <reel/pipeline/report.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel {

/// Inputs and outputs as the page has them now. The page's bytes are another process's: every field is
/// bounded here.
void read_counters(const StagePage& page, StageReport& report);

/// Frames taken, passed over and given in all: a number that moves while the stage does something.
[[nodiscard]] std::uint64_t frames_moved(const StagePage& page) noexcept;

/// It wants a slot of one of its outputs, and has none yet.
[[nodiscard]] bool waits_for_readers(const StagePage& page) noexcept;

}  // namespace reel
