#include "recorder/numbers.hpp"

#include <limits>
#include <utility>

#include <reel/base/error.hpp>

namespace record {
namespace {

constexpr std::int64_t kInterval_ns = 500'000'000;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
// Calls name kinds as they like: those beyond these are counted together.
constexpr std::size_t kMostKinds = 16;
constexpr const char* kOtherKinds = "other";

}  // namespace

Numbers::Numbers(reel::StageMetrics& metrics)
    : metrics_(&metrics),
      working_(metrics.gauge("working",
                             "1 while files can be made and written, 0 while the disk is full or away")),
      spool_frames_(metrics.gauge("spool_frames", "frames that wait for encoder and disk")),
      spool_memory_(metrics.gauge("spool_memory_bytes", "of these, in memory")),
      spool_disk_(metrics.gauge("spool_disk_bytes", "of these, on the spool's disk")),
      free_(metrics.gauge("disk_free_bytes", "room on the disk of the recordings")),
      age_(metrics.gauge("segment_age_seconds",
                         "media time of the file that is being written; none: none is")),
      events_going_on_(metrics.gauge("events_going_on", "events that have begun and not ended")),
      lost_(metrics.counter("lost_frames", "frames that are in no file: gaps in the recording")),
      spilled_(metrics.counter("spilled_frames", "frames that went by way of the spool's disk")),
      spool_errors_(
          metrics.counter("spool_disk_errors", "frames that the spool's disk could not take or give back")),
      written_(metrics.counter("written_bytes", "bytes of recordings")),
      segments_(metrics.counter("segments", "files that are complete")) {
  events_going_on_.set(0);
}

bool Numbers::due(std::int64_t now_ns) {
  if (now_ns < next_ns_) return false;
  next_ns_ = now_ns + kInterval_ns;
  return true;
}

void Numbers::spool(const Spool::Counts& counts) {
  spool_frames_.set(static_cast<double>(counts.frames));
  spool_memory_.set(static_cast<double>(counts.memory_bytes));
  spool_disk_.set(static_cast<double>(counts.disk_bytes));
  lost_.add(counts.lost - std::exchange(lost_told_, counts.lost));
  spilled_.add(counts.spilled - std::exchange(spilled_told_, counts.spilled));
  spool_errors_.add(counts.disk_errors - std::exchange(spool_errors_told_, counts.disk_errors));
}

void Numbers::disk(std::uint64_t free_bytes, bool working) {
  free_.set(static_cast<double>(free_bytes));
  working_.set(working ? 1 : 0);
}

void Numbers::open_file(const void* file, std::uint64_t bytes, std::int64_t age_ns) {
  grown(file, bytes);
  age_.set(static_cast<double>(age_ns) / 1e9);
}

void Numbers::no_open_file() {
  age_.set(kNone);
}

void Numbers::closed_file(const void* file, std::uint64_t bytes) {
  dropped_file(file, bytes);
  segments_.add();
}

void Numbers::dropped_file(const void* file, std::uint64_t bytes) {
  grown(file, bytes);
  written_told_.erase(file);
}

reel::Counter& Numbers::events_of(const std::string& kind) {
  const bool known = events_.contains(kind);
  const std::string& row = known || events_.size() < kMostKinds ? kind : kOtherKinds;
  const auto [found, added] = events_.try_emplace(row);
  if (!added || metrics_ == nullptr) return found->second;
  try {
    found->second = metrics_->counter("events", "events that have begun, by their kind", row);
  } catch (const reel::Error&) {
    // Kinds of earlier lives of the process fill the table: recording goes on without this number.
  }
  return found->second;
}

void Numbers::event(const EventChange& change) {
  if (change.what == EventChange::What::begun) {
    events_of(change.event.kind).add();
    ++going_on_;
  } else if (change.what == EventChange::What::ended) {
    --going_on_;
  }
  events_going_on_.set(static_cast<double>(going_on_));
}

void Numbers::grown(const void* file, std::uint64_t bytes) {
  std::uint64_t& told = written_told_[file];
  if (bytes > told) written_.add(bytes - std::exchange(told, bytes));
}

}  // namespace record
