// Finishes segments in a thread of its own: what takes long (index of the file, fdatasync, retention, repair
// of what was left open) keeps nobody waiting. Also makes safe what is being written, each sync interval.
// Called by the recorder's thread.
#pragma once

#include <condition_variable>
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
    std::int64_t sync_interval_ns = 1'000'000'000;
    std::vector<RetentionRule> rules{};
    std::function<void(const std::string& file)> on_finished{};  // its whole path; called by this thread
  };
  /// `catalog` lives longer. REQUIRES: the recording's lock is held.
  Closer(Catalog& catalog, Settings settings);
  /// Does what there is to do first.
  ~Closer();

  void finish(std::unique_ptr<SegmentFile> file);
  /// Until it has nothing to do.
  void wait();
  /// Files that a recorder left open.
  void repair(std::vector<Abandoned> files);
  /// Applies retention as soon as it can.
  void make_room();
  /// Its bytes are made safe from time to time, as long as it is there.
  void keep_safe(std::weak_ptr<const OpenSegment> file);

 private:
  void run();
  void do_finish(SegmentFile& file);
  void finish_in_catalog(SegmentRecord record);
  void retry();
  void retain();
  void make_safe();
  void add(std::function<void()> task);

  Catalog& catalog_;
  Settings settings_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::weak_ptr<const OpenSegment>> open_;
  bool room_wanted_ = false;
  bool working_ = false;
  bool stopping_ = false;
  std::vector<SegmentRecord> unfinished_;  // of this thread: no room for their manifest so far
  std::thread thread_;
};

}  // namespace record
