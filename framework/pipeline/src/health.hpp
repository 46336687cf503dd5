// Whether a pipeline is well: frames move through every stage that could move them. Pure but for what it
// remembers of when each stage last did; single-thread, the supervisor's.
#pragma once

#include "stream_looks.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <reel/pipeline/config.hpp>
#include <reel/pipeline/graph.hpp>
#include <reel/pipeline/report.hpp>

namespace reel {

enum class Condition {
  ok,            // takes or gives frames, or runs and has no streams
  starting,      // no process that runs yet, or none of its frames yet
  waiting,       // for frames of stages that have none, or for readers that take none
  stalled,       // has had frames to take, or should give some, and does not
  held_up,       // by a reader that is no stage of the pipeline
  disconnected,  // says itself that what it takes frames from is away (its gauge `connected` is 0)
  impaired,      // says itself that it cannot do its work (its gauge `working` is 0)
  restarting,
  failed,
  ended,    // or on its way there
  ignored,  // stands still and may
};
[[nodiscard]] std::string_view to_string(Condition condition) noexcept;
/// Whether the pipeline is not well for it.
[[nodiscard]] bool bad(Condition condition) noexcept;

struct StageHealth {
  std::string name;
  Condition condition = Condition::starting;
  std::int64_t silent_ms = 0;  // since its last frame; before the first, since it runs
  bool any_frame = false;
  std::size_t index = 0;      // among the report's
  bool running = false;       // has a process that runs
  std::int64_t still_ms = 0;  // as silent_ms, but of its present process alone
  std::string holder = {};    // held_up: by whom
};

struct Health {
  bool good = false;
  bool ending = false;
  std::string reason;  // why it is not; of names and numbers alone
  std::vector<StageHealth> stages;
};

class HealthWatch {
 public:
  /// The stage has taken or given a frame since the last call. Stages are those of the supervisor, by index.
  void moved(std::size_t stage, std::int64_t now_ms);
  /// Whether it has a process that runs, at each look at it.
  void runs(std::size_t stage, bool running, std::int64_t now_ms);
  /// Streams that have to be looked at for what the stages themselves do not say.
  [[nodiscard]] std::set<std::string> streams_to_see(const Graph& graph, const std::vector<bool>& present,
                                                     std::int64_t now_ms);
  /// They have been.
  void saw(StreamLooks looks, const Graph& graph, std::int64_t now_ms);
  /// `present`: which stages have not been taken out; the others are left out here. `report` is of all.
  [[nodiscard]] Health look(const PipelineReport& report, const Graph& graph,
                            const std::vector<bool>& present, bool ending, std::int64_t now_ms);

 private:
  struct Seen {
    std::int64_t since_ms = -1, running_ms = -1, moved_ms = -1;  // -1: not
    std::uint64_t frames = 0;                                    // by its streams, of a program
  };
  Seen& seen(std::size_t stage, std::int64_t now_ms);

  std::vector<Seen> seen_;
  StreamLooks looks_;
};

/// `GET /health`: one object.
[[nodiscard]] std::string health_json(const Health& health, const std::string& pipeline);
/// The same in a line: "4 stages run", "camera: no frame for 12.3 s".
[[nodiscard]] std::string health_line(const Health& health);

}  // namespace reel
