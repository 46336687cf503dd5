// What every measurement of reel_bench shares: how much of it to run, and the rows of the table it fills.
// Single-thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace reel_bench {

/// How often things are repeated. Figures are medians over rounds; a round measures ours and its floor in
/// turn.
struct Scale {
  int rounds = 400;          // of the spinning hand-off
  int batch = 50;            // round trips measured as one
  int wakes = 300;           // of the hand-off to a sleeper
  int wake_pause_us = 5000;  // between two of them
  int copies = 120;          // of the fused copy and hash
  int fill_rounds = 15;      // of the unpaced writer
  int fill_frames = 60;      // in one of its rounds
};

/// Just enough to see that everything runs.
inline constexpr Scale kSmoke{.rounds = 2,
                              .batch = 5,
                              .wakes = 4,
                              .wake_pause_us = 500,
                              .copies = 3,
                              .fill_rounds = 1,
                              .fill_frames = 8};

struct Row {
  std::string name;
  std::string unit;
  double ours = 0;
  double floor = 0;
  std::optional<double> most_ratio = {};  // target: ours is at most this many times the floor
  std::optional<double> most_above = {};  // target: ours is at most this much more than the floor
};
using Rows = std::vector<Row>;

[[nodiscard]] double median(std::vector<double> values);

void measure_spinning_handoff(const Scale& scale, Rows& rows);
void measure_sleeping_handoff(const Scale& scale, Rows& rows);
void measure_copy_and_hash(const Scale& scale, Rows& rows);
void measure_unpaced_writer(const Scale& scale, Rows& rows);
void measure_memory(const Scale& scale, Rows& rows);

}  // namespace reel_bench
