// What a stage tells about itself while it runs, and what it is told of others: one page of shared memory
// per stage, made by the supervisor, read by supervisor and tools, written by the stage alone but for
// `ended_inputs`, `ended_readers`, `kept_inputs`, `left_outputs` and `traced`. It survives the stage's death,
// and its counters go on when it is restarted. Each word is written by one process (relaxed stores of
// counters), read by others: numbers may be a moment apart, none is ever torn.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <reel/base/unique_fd.hpp>
#include <reel/stats/metrics.hpp>
#include <reel/stats/span_ring.hpp>

namespace reel {

inline constexpr std::size_t kMaxPorts = 16;
inline constexpr std::uint32_t kStagePageVersion = 6;

enum class StageState : std::uint32_t {
  none = 0,      // no process yet
  starting = 1,  // loading, configuring, connecting
  running = 2,
  draining = 3,  // told to end, or its inputs have ended
  finished = 4,  // ended well
  failed = 5     // said why in its log
};
[[nodiscard]] std::string_view to_string(StageState state) noexcept;

/// Counts of durations in buckets whose width is a quarter of their power of two: the quantile is right
/// within 13 %. One writer; any reader.
class LatencyHistogram {
 public:
  void add(std::int64_t nanoseconds) noexcept;  // negative counts as 0
  [[nodiscard]] std::uint64_t count() const noexcept;
  /// The duration below which a share `quantile` (0 to 1) of all lies, in nanoseconds; 0 when there are none.
  [[nodiscard]] std::int64_t quantile(double quantile) const noexcept;
  /// Of all durations, in nanoseconds.
  [[nodiscard]] std::uint64_t sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kBuckets = 256;
  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
  std::atomic<std::uint64_t> sum_{0};
};

struct InputCounters {
  std::array<char, 64> port{}, stream{};  // zero-terminated; written once, before the stage is running
  std::atomic<std::uint64_t> frames{0};   // handed to process()
  std::atomic<std::uint64_t> verified{0}, corrupted{0}, skipped{0}, lapped{0}, connects{0};
  std::atomic<std::uint64_t> newest{0};  // sequence of the frame taken or passed over last; 0: none known
  LatencyHistogram hop;                  // publish in the stage before to process() here
  LatencyHistogram end_to_end;           // capture to process() here
};

struct OutputCounters {
  std::array<char, 64> port{}, stream{};
  std::atomic<std::uint64_t> frames{0}, bytes{0}, waits{0}, demoted{0};
  std::atomic<std::uint64_t> newest{0};  // sequence of the frame given last, by the present process; the same
  std::atomic<std::uint32_t> acquiring{
      0};  // 1 while the stage waits for a slot, as for readers that are slow
  // By the supervisor: bit i says that reader i of those that the output waits for is gone for good.
  std::atomic<std::uint64_t> ended_readers{0};
};

struct StagePage {
  std::uint32_t version = kStagePageVersion;
  std::atomic<std::uint32_t> state{0};  // StageState
  std::atomic<std::uint32_t> pid{0};
  std::atomic<std::uint32_t> input_count{0}, output_count{0};
  // By the supervisor: bit i says that the process which writes input i is gone for good, so that an input
  // with nothing left to read has ended. Bits are set, never taken back.
  std::atomic<std::uint32_t> ended_inputs{0};
  // By the supervisor, before it asks the stage's process to end: bit i says that another process reads input
  // i on, whose place is kept for it, or writes output i on, which is left without an end.
  std::atomic<std::uint32_t> kept_inputs{0}, left_outputs{0};
  // By the supervisor: 1 says that spans are wanted, and that there is memory for them.
  std::atomic<std::uint32_t> traced{0};
  std::atomic<std::uint64_t> process_ns{0};    // time spent in process() or produce()
  std::atomic<std::int64_t> call_began_ns{0};  // CLOCK_MONOTONIC, of the present such call; 0: in none
  std::array<InputCounters, kMaxPorts> inputs;
  std::array<OutputCounters, kMaxPorts> outputs;
  MetricTable metrics;  // what the stage counts and measures besides

  [[nodiscard]] SpanRing& spans() noexcept;
  [[nodiscard]] const SpanRing& spans() const noexcept;

  // What spans() gives. Left as it is made: a page that is never traced has memory for what stands above
  // alone.
  alignas(SpanRing) std::array<std::byte, sizeof(SpanRing)> span_bytes;
};

/// Owner of a mapping of one page.
class StagePageMapping {
 public:
  /// A new page in an anonymous descriptor (inheritable by whoever is given it). Throws Error.
  [[nodiscard]] static StagePageMapping create();
  /// Maps the page behind `fd`, to write. Throws Error{protocol | version} when it is not one.
  [[nodiscard]] static StagePageMapping open(UniqueFd fd);
  StagePageMapping(StagePageMapping&& other) noexcept;
  StagePageMapping& operator=(StagePageMapping&& other) noexcept;
  ~StagePageMapping();

  /// Has memory reserved for spans, so that a traced stage cannot run out of it. Throws Error{no_memory}.
  void reserve_spans() const;
  /// Gives it back to the system. A span that is added afterwards is kept, and harms nobody.
  void release_spans() const noexcept;
  /// A descriptor of the page that it cannot be changed by, where /proc is there to make one. Throws Error.
  [[nodiscard]] UniqueFd open_read_only() const;

  [[nodiscard]] StagePage& page() const noexcept { return *page_; }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  StagePageMapping(UniqueFd fd, StagePage* page) noexcept;
  UniqueFd fd_;
  StagePage* page_ = nullptr;
};

/// A mapping of a page to look at.
class StagePageView {
 public:
  /// Throws Error{protocol | version} when it is no page.
  [[nodiscard]] static StagePageView open(UniqueFd fd);
  StagePageView(StagePageView&& other) noexcept;
  StagePageView& operator=(StagePageView&& other) noexcept;
  ~StagePageView();

  [[nodiscard]] const StagePage& page() const noexcept { return *page_; }

 private:
  explicit StagePageView(const StagePage* page) noexcept : page_(page) {}
  const StagePage* page_ = nullptr;
};

}  // namespace reel
