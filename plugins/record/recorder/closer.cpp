#include "recorder/closer.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/quantity.hpp>
#include <reel/base/text.hpp>

#include "catalog/file_calls.hpp"
#include "catalog/segment_name.hpp"
#include "recorder/event_pictures.hpp"
#include "recorder/repair_pass.hpp"

namespace record {
namespace {

constexpr std::int64_t kRetry_ns = 500'000'000, kLongestRetry_ns = 8'000'000'000;
constexpr std::size_t kLastLookedAt = 16;  // for one that gaps can be added to
constexpr const char* kNotWritten = "files could not be written";
constexpr const char* kNotFinished = "the recorder ended before they were written";

[[nodiscard]] std::uint64_t size_of(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) reel::throw_errno(errno, "looking at the file", path);
  return static_cast<std::uint64_t>(facts.st_size);
}

/// Under neither of its names, as far as the directory can be looked at.
[[nodiscard]] bool is_gone(const Store& store, const std::string& path) {
  const auto missing = [](const std::string& file) { return !exists(file) && errno == ENOENT; };
  return missing(store.whole_path(path)) && missing(store.whole_path(open_path_of(path)));
}

[[nodiscard]] std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

[[nodiscard]] std::uint64_t frames_of(const std::vector<Gap>& gaps) {
  std::uint64_t frames = 0;
  for (const Gap& gap : gaps) frames += gap.frames;
  return frames;
}

void log_finished(const SegmentRecord& record) {
  std::string tracks;
  for (const Track& track : record.tracks)
    tracks += fmt::format("{}{} of {}", tracks.empty() ? "" : ", ",
                          counted(track.frames, track.media == "video" ? "picture" : "block"), track.stream);
  const std::uint64_t lost = frames_of(record.gaps);
  reel::log_info(fmt::format(
      "wrote {}: {}, {}, {}{}", record.path, reel::duration_text(record.end_ns - record.start_ns), tracks,
      reel::bytes_text(record.bytes), lost == 0 ? "" : ", " + counted(lost, "frame") + " lost"));
}

}  // namespace

Closer::Closer(Catalog& catalog, Settings settings)
    : catalog_(catalog), settings_(std::move(settings)), thread_([this] { run(); }) {}

Closer::~Closer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Closer::add(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  changed_.notify_all();
}

void Closer::finish(std::unique_ptr<SegmentFile> file, bool told) {
  add([this, told, file = std::shared_ptr<SegmentFile>(std::move(file))] { do_finish(*file, told); });
}

void Closer::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return tasks_.empty() && !working_; });
}

void Closer::repair(std::vector<Abandoned> files) {
  for (Abandoned& file : files) add([this, file = std::move(file)] { take({file.record}); });
  add([this] { add_gaps_to_last(); });  // not at the end of a segment: it may be killed before
}

void Closer::add_gaps(std::vector<Gap> gaps) {
  add([this, gaps = std::move(gaps)] { gaps_.insert(gaps_.end(), gaps.begin(), gaps.end()); });
}

void Closer::make_room() {
  const std::lock_guard lock(mutex_);
  room_wanted_ = true;
  changed_.notify_all();
}

void Closer::retry_now() {
  const std::lock_guard lock(mutex_);
  retry_wanted_ = true;
  changed_.notify_all();
}

void Closer::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_ || !tasks_.empty()) {
    const auto something = [this] {
      return stopping_ || room_wanted_ || !tasks_.empty() || (retry_wanted_ && !unfinished_.empty());
    };
    if (unfinished_.empty())
      changed_.wait(lock, something);
    else
      changed_.wait_for(lock, std::chrono::nanoseconds(retry_at_ns_ - reel::monotonic_ns()), something);
    std::function<void()> task;
    if (!tasks_.empty()) {
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    const bool room = std::exchange(room_wanted_, false);
    if (std::exchange(retry_wanted_, false)) retry_at_ns_ = retry_wait_ns_ = 0;
    working_ = true;
    lock.unlock();
    try {
      if (room) retain();
      if (task) task();
      if (!unfinished_.empty() && reel::monotonic_ns() >= retry_at_ns_) retry();
    } catch (const std::exception& error) {
      reel::log_error(error.what());
    }
    lock.lock();
    working_ = false;
    changed_.notify_all();
  }
  lock.unlock();
  leave_to_next_start();
}

void Closer::do_finish(SegmentFile& file, bool told) {
  SegmentRecord& record = file.record();
  bool whole = false;
  try {
    if (!file.finish()) {
      catalog_.discard(record.path, "nothing was recorded into it");
      lose({record, false, true, true}, {});
      return;
    }
    add_pictures(catalog_.store(), record);
    whole = true;
  } catch (const reel::Error& error) {
    if (!told) reel::log_error(std::string(error.what()) + "; what can be read of it is kept");
    record.state = SegmentState::open;
  }
  take({record, whole, true});
  retain();
}

void Closer::take(Unfinished file) {
  if (settle(file)) return;
  try {
    if (file.ours) catalog_.save(file.record);  // what is counted in it, for the next start
  } catch (const reel::Error&) {                // the disk is away, which was said
  }
  if (unfinished_.empty()) retry_at_ns_ = reel::monotonic_ns() + (retry_wait_ns_ = kRetry_ns);
  unfinished_.push_back(std::move(file));
}

/// True when there is nothing left to do with it.
bool Closer::settle(Unfinished& file) {
  const std::string& path = file.record.path;
  try {
    catalog_.store().check();
    if (is_gone(catalog_.store(), path)) {
      reel::log_error("what was recorded is gone: " + path);
      lose(file, lost_with(file.record, kNotWritten));
      return true;
    }
    if (!file.whole && !make_whole(file)) return true;
    give_name(file.record);
  } catch (const std::exception& error) {
    if (!std::exchange(file.told, true))
      reel::log_error(std::string(error.what()) + "; it is tried again until " + path + " is closed");
    return false;
  }
  log_finished(file.record);
  if (settings_.on_finished) settings_.on_finished(catalog_.store().whole_path(path));
  return true;
}

/// False where there is nothing of it to keep.
bool Closer::make_whole(Unfinished& file) {
  Abandoned abandoned;
  abandoned.file = catalog_.store().whole_path(open_path_of(file.record.path));
  abandoned.record = file.record;
  abandoned.record.bytes = size_of(abandoned.file);
  const char* reason = file.ours ? kNotWritten : kNotFinished;
  std::vector<Gap> all = lost_with(abandoned, reason);  // while the facts are there
  std::optional<SegmentRecord> record = repair_abandoned(catalog_, abandoned, reason);
  if (!record) {
    lose(file, std::move(all));
    return false;
  }
  if (file.ours && counts(*record)) lost_ += frames_of(record->gaps) - frames_of(file.record.gaps);
  if (file.ours && record->state == SegmentState::repaired) add_pictures(catalog_.store(), *record);
  file.record = std::move(*record);
  file.whole = true;
  return true;
}

/// There is no file of it any more: its gaps, and these, are for the next one.
void Closer::lose(const Unfinished& file, std::vector<Gap> gaps) {
  if (!counts(file.record)) return;
  if (file.ours) lost_ += frames_of(gaps);
  gaps_.insert(gaps_.end(), file.record.gaps.begin(), file.record.gaps.end());
  gaps_.insert(gaps_.end(), gaps.begin(), gaps.end());
}

bool Closer::counts(const SegmentRecord& record) const {
  const std::optional<SegmentName> name = segment_name_from(record.path);
  return settings_.only_events || !name || !name->event;
}

void Closer::give_name(SegmentRecord& record) {
  if (counts(record)) {
    record.gaps.insert(record.gaps.end(), gaps_.begin(), gaps_.end());
    gaps_.clear();
  }
  // It may have got its name when what comes after that failed.
  if (exists(catalog_.store().whole_path(open_path_of(record.path))))
    catalog_.finish(record);
  else
    catalog_.save(record);
}

void Closer::retry() {
  if (!unfinished_.empty()) retain();
  std::erase_if(unfinished_, [this](Unfinished& file) { return settle(file); });
  retry_wait_ns_ = std::min(2 * std::max(retry_wait_ns_, kRetry_ns), kLongestRetry_ns);
  retry_at_ns_ = reel::monotonic_ns() + retry_wait_ns_;
}

/// Of the files that are finished: where nothing comes after it that could tell of them, or not soon.
void Closer::add_gaps_to_last() {
  if (gaps_.empty()) return;
  Query query;
  query.recording = settings_.recording;
  query.with_open = false;
  query.newest_first = true;
  query.most = kLastLookedAt;
  for (const SegmentRecord& last : catalog_.find(query)) {
    if (last.tracks.empty() || !counts(last)) continue;  // nothing is known of it but its name
    const std::optional<Found> found = catalog_.store().look_up(last.path);
    if (!found || found->open) continue;
    SegmentRecord record = catalog_.store().read(*found);
    record.gaps.insert(record.gaps.end(), gaps_.begin(), gaps_.end());
    catalog_.save(record);
    gaps_.clear();
    return;
  }
}

void Closer::leave_to_next_start() {
  try {
    retry();
    add_gaps_to_last();
  } catch (const std::exception& error) {
    reel::log_error(error.what());
  }
  for (const Unfinished& file : unfinished_)
    reel::log_error("it is left open, for the next start to close: " + file.record.path);
  if (const std::uint64_t frames = frames_of(gaps_); frames != 0)
    reel::log_error(std::to_string(frames) +
                    " frames that were lost are in no manifest: none can be written");
}

void Closer::retain() {
  if (settings_.rules.empty()) return;
  try {
    (void)apply_retention(catalog_, settings_.rules, reel::realtime_ns());
    retain_failed_ = false;
  } catch (const reel::Error& error) {
    if (!std::exchange(retain_failed_, true)) reel::log_error(error.what());
  }
}

}  // namespace record
