// Finishes segments in a thread of its own: what takes long (index of the file, fdatasync, retention, repair
// of what was left open) keeps nobody waiting. What the disk does not let it finish now it tries again until
// it does, or leaves to the next start. Called by the recorder's thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/retention.hpp"
#include "recorder/segment_file.hpp"

namespace record {

class Closer {
 public:
  struct Settings {
    std::string recording{};
    std::vector<RetentionRule> rules{};
    std::function<void(const std::string& file)> on_finished{};  // its whole path; called by this thread
    bool only_events = false;  // else what a file of an event lacks is in another one
  };
  /// `catalog` lives longer. REQUIRES: the recording's lock is held.
  Closer(Catalog& catalog, Settings settings);
  /// Does what there is to do first.
  ~Closer();

  /// All was written that it will have. Where it cannot be finished, it is repaired: what can be read of it
  /// is kept, the rest a gap.
  /// `told`: the log has said that it cannot be written any more.
  void finish(std::unique_ptr<SegmentFile> file, bool told = false);
  /// Until it has nothing to do but what the disk does not let it do now.
  void wait();
  /// Files that a recorder left open.
  void repair(std::vector<Abandoned> files);
  /// Applies retention as soon as it can.
  void make_room();
  /// The disk takes files: what it did not let be done is tried at once.
  void retry_now();
  /// For the next manifest that is written: there is no open file that they belong to.
  void add_gaps(std::vector<Gap> gaps);
  /// Frames that were counted when they were written, and turned out to be in no file. Thread-safe.
  [[nodiscard]] std::uint64_t lost_frames() const noexcept { return lost_; }

 private:
  /// A segment that has all that it will have, and is "X.open.mkv" still.
  struct Unfinished {
    SegmentRecord record;
    bool whole = false;  // else it is to be repaired
    bool ours = false;   // written by this recorder
    bool told = false;   // the log was
  };
  void run();
  void do_finish(SegmentFile& file, bool told);
  void take(Unfinished file);
  [[nodiscard]] bool settle(Unfinished& file);
  [[nodiscard]] bool make_whole(Unfinished& file);
  void give_name(SegmentRecord& record);
  void lose(const Unfinished& file, std::vector<Gap> gaps);
  [[nodiscard]] bool counts(const SegmentRecord& record) const;
  void retry();
  void leave_to_next_start();
  void add_gaps_to_last();
  void retain();
  void add(std::function<void()> task);

  Catalog& catalog_;
  Settings settings_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool room_wanted_ = false;
  bool retry_wanted_ = false;
  bool working_ = false;
  bool stopping_ = false;
  std::atomic<std::uint64_t> lost_{0};  // a number to look at; nothing hangs on its order
  // Of this thread:
  std::vector<Unfinished> unfinished_;
  std::int64_t retry_at_ns_ = 0;  // CLOCK_MONOTONIC
  std::int64_t retry_wait_ns_ = 0;
  std::vector<Gap> gaps_;  // for the next manifest
  bool retain_failed_ = false;
  std::thread thread_;
};

}  // namespace record
