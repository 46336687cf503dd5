#include "recorder/spool.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <reel/base/error.hpp>
#include <reel/gst/pointers.hpp>
#include <reel/gst/read_map.hpp>
#include <reel/gst/video_layout.hpp>

namespace record {
namespace {

/// Bytes so few that a frame of them gets in where pictures do not any more: sound goes on.
constexpr std::uint64_t kSmall = 64 * 1024;
constexpr std::uint64_t kOverhead = 1024;  // of a frame, beside its bytes

}  // namespace

Spool::Spool(const Settings& settings, std::size_t inputs)
    : settings_(settings),
      open_loss_(inputs),
      reason_("encoder or disk were too slow, and the spool was full") {
  if (settings_.disk_bytes != 0)
    file_.emplace(settings_.disk_directory, settings_.disk_bytes, "the option `spool_directory`");
}

bool Spool::fits(std::uint64_t bytes) const {
  const std::uint64_t limit = settings_.memory_bytes + (bytes < kSmall ? settings_.memory_bytes / 16 : 0);
  // One frame is always taken, however large.
  return counts_.memory_bytes == 0 || counts_.memory_bytes + bytes <= limit;
}

bool Spool::store(Item& item) {
  const std::uint64_t used = counts_.memory_bytes + counts_.disk_bytes;
  const std::uint64_t room = settings_.memory_bytes + settings_.disk_bytes;
  if (full_ && item.bytes >= kSmall && used > room - room / 8) return false;
  if (fits(item.bytes)) {
    counts_.memory_bytes += item.bytes;
    full_ = full_ && item.bytes < kSmall;
    return true;
  }
  if (file_ && item.frame.buffer) {
    const std::shared_ptr<GstBuffer> buffer = item.frame.buffer;
    const reel::gst::ReadMap map(buffer.get());
    item.disk_offset = file_->put(map.bytes());
    if (item.disk_offset) {
      item.bytes = map.bytes().size();
      item.frame.buffer.reset();
      counts_.disk_bytes += item.bytes;
      ++counts_.spilled;
      return true;
    }
  }
  full_ = true;
  return false;
}

bool Spool::put(SpooledFrame frame) {
  Item item;
  item.bytes =
      (frame.buffer ? gst_buffer_get_size(frame.buffer.get()) : 0) + frame.side_data.size() + kOverhead;
  item.frame = std::move(frame);
  const std::lock_guard lock(mutex_);
  if (!store(item)) {
    lose(std::move(item.frame), 1, reason_);
    return false;
  }
  open_loss_[item.frame.input] = nullptr;
  items_.push_back(std::move(item));
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
  items_.push_back({std::move(first), 0, {}});
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
  items_.push_back({std::move(last), 0, {}});
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
  Item item = std::move(items_.front());
  if (open_loss_[item.frame.input] == &items_.front().frame) open_loss_[item.frame.input] = nullptr;
  items_.pop_front();
  if (item.frame.kind != SpooledFrame::Kind::frame) return std::move(item.frame);
  --counts_.frames;
  if (item.disk_offset) {
    restore(item);
    counts_.disk_bytes -= item.bytes;
  } else {
    counts_.memory_bytes -= item.bytes;
  }
  went_.notify_one();
  return std::move(item.frame);
}

void Spool::restore(Item& item) {
  SpooledFrame& frame = item.frame;
  reel::gst::Ptr<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, item.bytes, nullptr));
  GstMapInfo map;
  bool read = false;
  if (buffer && gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE) != FALSE) {
    read = file_->get(*item.disk_offset, std::as_writable_bytes(std::span(map.data, map.size)));
    gst_buffer_unmap(buffer.get(), &map);
  }
  file_->release(*item.disk_offset, item.bytes);
  if (!read) {
    frame.kind = SpooledFrame::Kind::lost;
    frame.lost = 1;
    frame.reason = "the spool's file could not be read";
    ++counts_.lost;
    return;
  }
  if (const reel::VideoFormat* video = frame.format->video())
    reel::gst::attach_layout(buffer.get(), *video, frame.layout, frame.info.flags);
  frame.buffer = std::shared_ptr<GstBuffer>(buffer.release(), reel::gst::Unref{});
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
