// A pipeline file as a value: read, variables filled in, every key and type checked; plugins are not looked
// at yet (graph.hpp). Called once by tools and the supervisor; thread-safe, reads files and the environment.
// The format is in configs/README.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <reel/base/checksum.hpp>
#include <reel/channel/options.hpp>
#include <reel/service/listen_address.hpp>
#include <reel/shm/backend.hpp>
#include <reel/stage/inputs.hpp>
#include <reel/stage/options.hpp>

namespace reel {

/// One entry of `streams:`. What is not given takes the default of WriterOptions; slots are then derived from
/// the readers.
struct StreamConfig {
  std::string where;  // "faces.yaml:4"
  std::optional<std::uint32_t> slots;
  std::uint64_t slot_bytes = 0;
  std::uint64_t max_bytes = WriterOptions{}.max_bytes;
  std::uint32_t history = 1;
  std::uint32_t loans = 1;
  std::uint32_t side_data_bytes = WriterOptions{}.side_data_bytes;
  ChecksumMode checksum = ChecksumMode::full;
  bool live = false;
  std::uint32_t lag_frames = 0;
  int start_timeout_ms = WriterOptions{}.start_timeout_ms;
  int stall_timeout_ms = WriterOptions{}.stall_timeout_ms;
  int absence_timeout_ms = WriterOptions{}.absence_timeout_ms;
  SegmentKind memory = SegmentKind::memfd;
};

/// One stream that a stage reads.
struct InputConfig {
  std::string where;
  std::string stream;
  std::string port;  // empty: the first free one that takes such media
  Policy policy = Policy::lossless;
  Start start = Start::live;
  std::uint32_t max_pins = kDefaultPins;
  bool verify = true;
  bool deliver_corrupted = false;
  FrameChoice choice;
  std::optional<bool>
      wait;  // whether the writer's first frame waits for it; not given: unless a program reads
};

/// One stream that a stage writes.
struct OutputConfig {
  std::string where;
  std::string stream;
  std::string port;  // empty: the plugin's first
};

enum class Restart { never, on_failure, always };

/// When a stage that ended is started again.
struct RestartRule {
  Restart when = Restart::on_failure;
  std::uint32_t limit = 5;  // restarts within the window; one more and the stage has failed
  int window_ms = 60'000;
  int first_delay_ms = 250;  // doubled with every restart within the window
  int longest_delay_ms = 10'000;
};

struct StageConfig {
  std::string where;
  std::string name;
  std::string use;  // a plugin's name, "exec" or "gst"
  std::string use_where;
  std::map<std::string, OptionValue> options;
  std::vector<InputConfig> inputs;
  std::vector<OutputConfig> outputs;
  std::optional<JoinRule> join;  // of all inputs; without it each frame is taken as it comes
  std::string join_where;
  RestartRule restart;
  int hang_timeout_ms = 0;  // a call for one frame that takes so long is a hang: killed; 0: only told of
  std::vector<int> cpus;    // may run on these alone; empty: on all
  int nice = 0;             // -20 to 19
  std::map<std::string, std::string> environment;  // added to the supervisor's own
};

/// When the pipeline is well (`GET /health`).
struct HealthRule {
  int stall_timeout_ms =
      10'000;  // a stage that takes and gives no frame for so long, though it could, stalls
  std::vector<std::string> ignored;    // stages that may
  bool watchdog_wants_frames = false;  // systemd's watchdog is fed while the pipeline is well; else while the
                                       // supervisor's loop turns
};

struct PipelineConfig {
  std::string file;            // as it was given
  std::string base_directory;  // absolute: relative paths in the file start here
  std::string name;
  std::vector<std::string> plugin_path;  // absolute directories, looked in first
  int drain_timeout_ms = 15'000;         // between being asked to end and SIGTERM
  int stop_timeout_ms = 5'000;           // between SIGTERM and SIGKILL
  std::optional<ListenAddress> serve;    // where /metrics and /health are; none: nowhere
  HealthRule health;
  std::map<std::string, StreamConfig> streams;
  std::vector<StageConfig> stages;  // in the file's order
};

/// Reads `file`. `overrides` are "stage.option=value", "streams.NAME.key=value" or "stages.NAME.key=value",
/// applied in order. Throws Error{bad_config} with the file and line of the first mistake; the message holds
/// up to 20 of them, a line each, with what is allowed and the nearest right name.
[[nodiscard]] PipelineConfig load_pipeline(const std::string& file,
                                           const std::vector<std::string>& overrides = {});

/// The same from text; `file` is for messages and for the directory that paths start in.
[[nodiscard]] PipelineConfig parse_pipeline(const std::string& text, const std::string& file,
                                            const std::vector<std::string>& overrides = {});

}  // namespace reel
