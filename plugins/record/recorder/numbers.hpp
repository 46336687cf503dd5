// What a recorder tells about itself while it runs (reel/stats/metrics.hpp): for `reel top`, `GET /metrics`
// and, by the gauge `working`, `GET /health`. Used by the recorder's thread alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <reel/stats/metrics.hpp>

#include "events/event_trigger.hpp"
#include "recorder/spool.hpp"

namespace record {

class Numbers {
 public:
  Numbers() = default;  // tells nobody
  explicit Numbers(reel::StageMetrics& metrics);

  /// Whether it is time to tell of all this again.
  [[nodiscard]] bool due(std::int64_t now_ns);
  void spool(const Spool::Counts& counts);
  /// `working`: files can be made and written.
  void disk(std::uint64_t free_bytes, bool working);
  /// Bytes that a file which is still open has by now. `file` tells it from others.
  void open_file(const void* file, std::uint64_t bytes, std::int64_t age_ns);
  void no_open_file();
  /// The file is complete.
  void closed_file(const void* file, std::uint64_t bytes);
  /// It cannot be written any more.
  void dropped_file(const void* file, std::uint64_t bytes);
  void event(const EventChange& change);

 private:
  void grown(const void* file, std::uint64_t bytes);
  reel::Counter& events_of(const std::string& kind);

  reel::StageMetrics* metrics_ = nullptr;
  reel::Gauge working_, spool_frames_, spool_memory_, spool_disk_, free_, age_, events_going_on_;
  reel::Counter lost_, spilled_, spool_errors_, written_, segments_;
  std::uint64_t lost_told_ = 0, spilled_told_ = 0, spool_errors_told_ = 0;
  std::map<const void*, std::uint64_t> written_told_;  // of files that are open
  std::map<std::string, reel::Counter> events_;        // by kind
  std::uint64_t going_on_ = 0;                         // events
  std::int64_t next_ns_ = 0;
};

}  // namespace record
