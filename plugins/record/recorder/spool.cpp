#include "recorder/spool.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include <reel/base/log.hpp>
#include <reel/gst/pointers.hpp>
#include <reel/gst/read_map.hpp>
#include <reel/gst/video_layout.hpp>

namespace record {
namespace {

/// Bytes so few that a frame of them gets in where pictures do not any more: sound goes on.
constexpr std::uint64_t kSmall = 64 * 1024;
constexpr std::uint64_t kOverhead = 1024;                   // of a frame, beside its bytes
constexpr auto kPatience = std::chrono::milliseconds(500);  // with the other disk

}  // namespace

Spool::Spool(const Settings& settings, std::size_t inputs)
    : settings_(settings),
      open_loss_(inputs),
      reason_("encoder or disk were too slow, and the spool was full") {
  if (settings_.disk_bytes == 0) return;
  file_.emplace(settings_.disk_directory, settings_.disk_bytes, "the option `spool_directory`");
  mover_ = std::thread([this] { move_to_disk(); });
}

Spool::~Spool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    moves_.notify_all();
  }
  if (mover_.joinable()) mover_.join();
}

bool Spool::fits(std::uint64_t bytes) const {
  const std::uint64_t way = file_ ? settings_.memory_bytes / 4 : 0;
  // One frame is always taken, however large.
  return counts_.memory_bytes == 0 || fits_at_all(bytes + way);
}

bool Spool::fits_at_all(std::uint64_t bytes) const {
  const std::uint64_t limit = settings_.memory_bytes + (bytes < kSmall ? settings_.memory_bytes / 16 : 0);
  return counts_.memory_bytes + bytes <= limit;
}

/// True once there is room in memory for a frame on its way to the other disk.
bool Spool::wait_for_disk(std::uint64_t bytes, std::unique_lock<std::mutex>& lock) {
  const auto done = [&] { return fits_at_all(bytes) || disk_fails_ || (waiting_.empty() && !moving_); };
  if (!done() && !disk_is_slow_) disk_is_slow_ = !moves_.wait_for(lock, kPatience, done);
  return fits_at_all(bytes);
}

bool Spool::store(Item& item, std::unique_lock<std::mutex>& lock) {
  const std::uint64_t bytes = item.bytes + item.kept;
  const std::uint64_t used = counts_.memory_bytes + counts_.disk_bytes;
  const std::uint64_t room = settings_.memory_bytes + settings_.disk_bytes;
  if (full_ && bytes >= kSmall && used > room - room / 8) return false;
  const bool stays = fits(bytes);
  if (!stays && file_ && item.bytes != 0 && file_->has_room(item.bytes) && wait_for_disk(bytes, lock))
    item.disk_offset = file_->reserve(item.bytes);
  if (!stays && !item.disk_offset && !(file_ && fits_at_all(bytes))) {
    full_ = true;
    return false;
  }
  if (stays) full_ = full_ && bytes < kSmall;
  if (item.disk_offset) item.place = Place::waiting;
  counts_.memory_bytes += bytes;
  return true;
}

bool Spool::put(SpooledFrame frame) {
  Item item;
  item.bytes = frame.buffer ? gst_buffer_get_size(frame.buffer.get()) : 0;
  item.kept = frame.side_data.size() + kOverhead;
  item.frame = std::move(frame);
  std::unique_lock lock(mutex_);
  if (!store(item, lock)) {
    lose(std::move(item.frame), 1, reason_);
    return false;
  }
  open_loss_[item.frame.input] = nullptr;
  items_.push_back(std::move(item));
  if (items_.back().place == Place::waiting) {
    waiting_.push_back(&items_.back());
    moves_.notify_all();
  }
  ++counts_.frames;
  counts_.most_frames = std::max(counts_.most_frames, counts_.frames);
  came_.notify_one();
  return true;
}

void Spool::put_lost(SpooledFrame first, std::uint64_t count, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  lose(std::move(first), count, reason);
}

void Spool::lose(SpooledFrame first, std::uint64_t count, const std::string& reason) {
  counts_.lost += count;
  SpooledFrame*& open = open_loss_[first.input];
  if (open != nullptr && open->reason == reason) {
    open->lost += count;
    return;
  }
  first.kind = SpooledFrame::Kind::lost;
  first.lost = count;
  first.reason = reason;
  first.buffer.reset();
  const std::size_t input = first.input;
  items_.emplace_back().frame = std::move(first);
  open_loss_[input] = &items_.back().frame;
  came_.notify_one();
}

bool Spool::wait_for_room(std::uint64_t bytes, int timeout_ms) {
  std::unique_lock lock(mutex_);
  const bool there = went_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                                    [&] { return closed_ || fits(bytes + kOverhead); });
  return there && !closed_;
}

void Spool::end(std::size_t input) {
  const std::lock_guard lock(mutex_);
  open_loss_[input] = nullptr;
  SpooledFrame last;
  last.kind = SpooledFrame::Kind::ended;
  last.input = input;
  items_.emplace_back().frame = std::move(last);
  came_.notify_one();
}

void Spool::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  came_.notify_all();
  went_.notify_all();
}

std::optional<std::size_t> Spool::next(int timeout_ms) {
  std::unique_lock lock(mutex_);
  came_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return closed_ || !items_.empty(); });
  return items_.empty() ? std::nullopt : std::optional(items_.front().frame.input);
}

std::optional<SpooledFrame> Spool::take(int timeout_ms) {
  std::unique_lock lock(mutex_);
  came_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return closed_ || !items_.empty(); });
  if (items_.empty()) return std::nullopt;
  // Only the front is looked at, and nobody else takes it.
  moves_.wait(lock, [&] { return items_.front().place != Place::moving; });
  Item item = std::move(items_.front());
  if (open_loss_[item.frame.input] == &items_.front().frame) open_loss_[item.frame.input] = nullptr;
  if (item.place == Place::waiting) waiting_.pop_front();  // the oldest there is the oldest of all
  items_.pop_front();
  if (item.frame.kind != SpooledFrame::Kind::frame) return std::move(item.frame);
  --counts_.frames;
  const bool away = item.place == Place::disk;
  (away ? counts_.disk_bytes : counts_.memory_bytes) -= item.bytes;
  counts_.memory_bytes -= item.kept;
  if (away) restore(item, lock);
  if (item.disk_offset) {
    file_->release(*item.disk_offset, item.bytes);
    moves_.notify_all();
  }
  went_.notify_one();
  return std::move(item.frame);
}

void Spool::restore(Item& item, std::unique_lock<std::mutex>& lock) {
  SpooledFrame& frame = item.frame;
  lock.unlock();
  reel::gst::Ptr<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, item.bytes, nullptr));
  GstMapInfo map;
  int failure = ENOMEM;
  if (buffer && gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE) != FALSE) {
    failure = file_->get(*item.disk_offset, std::as_writable_bytes(std::span(map.data, map.size)));
    gst_buffer_unmap(buffer.get(), &map);
  }
  lock.lock();
  if (failure != 0) {
    frame.kind = SpooledFrame::Kind::lost;
    frame.lost = 1;
    frame.reason = "the spool's file could not be read";
    ++counts_.lost;
    disk_failed("does not give frames back: they are lost", failure);
    return;
  }
  if (const reel::VideoFormat* video = frame.format->video())
    reel::gst::attach_layout(buffer.get(), *video, frame.layout, frame.info.flags);
  frame.buffer = std::shared_ptr<GstBuffer>(buffer.release(), reel::gst::Unref{});
}

void Spool::move_to_disk() noexcept {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (file_->take_leavings()) {
      lock.unlock();
      file_->empty();  // what is reserved meanwhile is written by this thread alone
      lock.lock();
      continue;
    }
    if (waiting_.empty()) {
      moves_.wait(lock);
      continue;
    }
    Item& item = *waiting_.front();
    waiting_.pop_front();
    item.place = Place::moving;
    moving_ = true;
    std::shared_ptr<GstBuffer> buffer = item.frame.buffer;
    const std::uint64_t offset = *item.disk_offset;
    lock.unlock();
    const int failure = file_->put(offset, reel::gst::ReadMap(buffer.get()).bytes());
    lock.lock();
    moved(item, failure);
    lock.unlock();
    buffer.reset();
    lock.lock();
  }
}

void Spool::moved(Item& item, int failure) {
  moving_ = false;
  if (failure != 0) {
    item.place = Place::memory;
    disk_failed("takes no frames: they wait in memory as far as there is room", failure);
  } else {
    item.place = Place::disk;
    item.frame.buffer.reset();
    counts_.memory_bytes -= item.bytes;
    counts_.disk_bytes += item.bytes;
    ++counts_.spilled;
    if (disk_fails_) reel::log_info(settings_.disk_directory + " takes frames again");
    disk_fails_ = disk_is_slow_ = false;
  }
  moves_.notify_all();
}

void Spool::disk_failed(const char* what, int failure) {
  ++counts_.disk_errors;
  if (!disk_fails_)
    reel::log_error("the spool's disk, " + settings_.disk_directory + ", " + what + ": " +
                    std::strerror(failure));
  disk_fails_ = true;
}

bool Spool::finished() const {
  const std::lock_guard lock(mutex_);
  return closed_ && items_.empty();
}

bool Spool::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void Spool::count_lost(std::uint64_t frames) {
  const std::lock_guard lock(mutex_);
  counts_.lost += frames;
}

void Spool::set_reason(const std::string& reason) {
  const std::lock_guard lock(mutex_);
  reason_ = reason;
}

Spool::Counts Spool::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace record
