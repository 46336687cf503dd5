#include "recorder/closer.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/quantity.hpp>
#include <reel/base/text.hpp>

#include "recorder/event_pictures.hpp"
#include "recorder/repair_pass.hpp"

namespace record {
namespace {

void log_finished(const SegmentRecord& record) {
  std::string tracks;
  for (const Track& track : record.tracks)
    tracks += fmt::format("{}{} {} of {}", tracks.empty() ? "" : ", ", track.frames,
                          track.media == "video" ? "pictures" : "blocks", track.stream);
  std::uint64_t lost = 0;
  for (const Gap& gap : record.gaps) lost += gap.frames;
  reel::log_info(fmt::format(
      "wrote {}: {}, {}, {}{}", record.path, reel::duration_text(record.end_ns - record.start_ns), tracks,
      reel::bytes_text(record.bytes), lost == 0 ? "" : fmt::format(", {} frames lost", lost)));
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

void Closer::finish(std::unique_ptr<SegmentFile> file) {
  add([this, file = std::shared_ptr<SegmentFile>(std::move(file))] { do_finish(*file); });
}

void Closer::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return tasks_.empty() && !working_; });
}

void Closer::repair(std::vector<Abandoned> files) {
  for (Abandoned& file : files)
    add([this, file = std::move(file)] {
      if (const std::optional<SegmentRecord> record = repair_abandoned(catalog_, file))
        finish_in_catalog(*record);
    });
}

void Closer::make_room() {
  const std::lock_guard lock(mutex_);
  room_wanted_ = true;
  changed_.notify_all();
}

void Closer::keep_safe(std::weak_ptr<const OpenSegment> file) {
  const std::lock_guard lock(mutex_);
  open_.push_back(std::move(file));
}

void Closer::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_ || !tasks_.empty()) {
    const auto something = [this] { return stopping_ || room_wanted_ || !tasks_.empty(); };
    changed_.wait_for(lock, std::chrono::nanoseconds(settings_.sync_interval_ns), something);
    std::function<void()> task;
    if (!tasks_.empty()) {
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    const bool room = std::exchange(room_wanted_, false);
    working_ = true;
    lock.unlock();
    try {
      if (room) retain();
      if (task) task();
      retry();
      make_safe();
    } catch (const std::exception& error) {
      reel::log_error(error.what());
    }
    lock.lock();
    working_ = false;
    changed_.notify_all();
  }
}

void Closer::do_finish(SegmentFile& file) {
  if (!file.finish()) {
    catalog_.discard(file.record().path, "nothing was recorded into it");
    return;
  }
  add_pictures(catalog_.store(), file.record());
  finish_in_catalog(file.record());
  retain();
}

void Closer::finish_in_catalog(SegmentRecord record) {
  try {
    catalog_.finish(record);
  } catch (const reel::Error& error) {
    reel::log_error(std::string(error.what()) + "; it is tried again");
    unfinished_.push_back(std::move(record));
    return;
  }
  log_finished(record);
  if (settings_.on_finished) settings_.on_finished(catalog_.store().whole_path(record.path));
}

void Closer::retry() {
  for (std::vector<SegmentRecord> again = std::exchange(unfinished_, {}); SegmentRecord & record : again) {
    retain();
    finish_in_catalog(std::move(record));
  }
}

void Closer::retain() {
  if (!settings_.rules.empty()) (void)apply_retention(catalog_, settings_.rules, reel::realtime_ns());
}

void Closer::make_safe() {
  std::vector<std::shared_ptr<const OpenSegment>> files;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(open_, [](const auto& file) { return file.expired(); });
    for (const auto& file : open_) files.push_back(file.lock());
  }
  for (const auto& file : files)
    if (file && ::fdatasync(file->fd.get()) != 0)
      reel::throw_errno(errno, "cannot make what was recorded safe", file->file);
}

}  // namespace record
