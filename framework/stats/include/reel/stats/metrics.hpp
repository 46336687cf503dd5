// Numbers that a stage tells about itself under names of its own (bytes on disk, reconnects), in a table in
// its page: written by the stage's process, read by the supervisor and by tools. Stages ask their
// StageContext for them (stage.hpp). Handles are thread-safe, never wait, and cost an atomic operation.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace reel {

inline constexpr std::size_t kMaxMetrics = 96;  // of one stage

enum class MetricKind : std::uint32_t {
  none = 0,
  counter = 1,  // only grows, also over restarts of the stage
  gauge = 2     // goes up and down; not told while it is not a finite number
};
[[nodiscard]] std::string_view to_string(MetricKind kind) noexcept;

/// Shared memory; zeros are an empty table. Texts end with a zero and are written before `count` says that
/// they are there.
struct MetricSlot {
  std::array<char, 64> name{}, stream{};
  std::array<char, 128> help{};
  std::atomic<std::uint32_t> kind{0};  // MetricKind
  std::atomic<std::uint64_t> bits{0};  // a counter's number, a gauge's double
};

struct MetricTable {
  std::atomic<std::uint32_t> count{0};
  std::array<MetricSlot, kMaxMetrics> slots;
};

/// A count of things that happened. One that is made by its default constructor counts for nobody.
class Counter {
 public:
  Counter() noexcept = default;
  explicit Counter(std::atomic<std::uint64_t>& bits) noexcept : bits_(&bits) {}
  void add(std::uint64_t more = 1) noexcept;
  [[nodiscard]] std::uint64_t value() const noexcept;

 private:
  std::atomic<std::uint64_t>* bits_ = nullptr;
};

/// A number as it is now. The same.
class Gauge {
 public:
  Gauge() noexcept = default;
  explicit Gauge(std::atomic<std::uint64_t>& bits) noexcept : bits_(&bits) {}
  void set(double value) noexcept;

 private:
  std::atomic<std::uint64_t>* bits_ = nullptr;
};

/// What a stage asks: one object for a life of its process. Thread-safe.
class StageMetrics {
 public:
  /// Gauges that a life before this one has set say nothing until they are set again.
  explicit StageMetrics(MetricTable& table) noexcept;

  /// `name` is made of a-z, 0-9 and _, at most 63 characters, begins with a letter, and says its unit
  /// ("spool_bytes", "segment_age_seconds"). `stream` says of which of the stage's streams, or of whatever
  /// else it has several of; empty: of the stage. The same name and stream are the same number. What is too
  /// long of `help` and `stream` is left out. Throws Error{bad_argument} for a name that is none or is of the
  /// other kind, or where there are kMaxMetrics already.
  [[nodiscard]] Counter counter(std::string_view name, std::string_view help, std::string_view stream = {});
  [[nodiscard]] Gauge gauge(std::string_view name, std::string_view help, std::string_view stream = {});

 private:
  MetricSlot& slot(MetricKind kind, std::string_view name, std::string_view help, std::string_view stream);

  std::mutex adding_;
  MetricTable& table_;
};

/// One number, as read.
struct MetricReading {
  std::string name, stream, help;
  MetricKind kind = MetricKind::none;
  double value = 0;
};

/// All that the table tells now. Its bytes are another process's: what is no number, or has no name by the
/// rule above, is left out. Thread-safe.
[[nodiscard]] std::vector<MetricReading> read_metrics(const MetricTable& table);

}  // namespace reel
