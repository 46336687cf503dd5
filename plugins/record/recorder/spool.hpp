// Frames between the stage, which must not keep its streams waiting, and the recorder, which encoder and disk
// keep waiting: in memory, then in a file on another disk, then lost and counted. The stage's thread puts,
// one thread, the recorder's, takes, and one of the spool's own writes to the other disk, so that a slow one
// keeps the stage waiting for half a second once, not longer. Everything else is thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gst/gst.h>

#include <reel/base/clock.hpp>
#include <reel/format/format.hpp>
#include <reel/format/frame_info.hpp>
#include <reel/format/records.hpp>

#include "recorder/spool_file.hpp"

namespace record {

struct SpooledFrame {
  enum class Kind {
    frame,
    lost,   // `lost` frames, of which the rest of this is the first
    ended,  // nothing more comes of this input
  };
  Kind kind = Kind::frame;
  std::size_t input = 0;
  std::uint64_t number = 0;    // of the input's frames, lost ones counted
  std::uint64_t sequence = 0;  // in its stream
  std::shared_ptr<const reel::Format> format;
  std::shared_ptr<const reel::Segment> segment;  // may be none
  reel::FrameInfo info;
  reel::VideoLayout layout;
  std::int64_t published_ns = reel::kNoTime;  // CLOCK_MONOTONIC
  std::int64_t utc_ns = reel::kNoTime;
  std::vector<std::byte> side_data;
  std::shared_ptr<GstBuffer> buffer;
  std::uint64_t lost = 0;
  std::string reason;  // why they were lost
};

class Spool {
 public:
  struct Settings {
    /// With `disk_bytes`, a quarter is kept for what is on its way to the other disk and for what is to be
    /// known of that which lies there: side data, times.
    std::uint64_t memory_bytes = 256'000'000;
    std::uint64_t disk_bytes = 0;  // 0: none
    std::string disk_directory{};
  };
  /// Throws reel::Error where the directory takes no file.
  Spool(const Settings& settings, std::size_t inputs);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Takes a frame; false where it is lost. Once one was, those that follow are as well until an eighth of
  /// the room is free again: one long gap instead of many.
  bool put(SpooledFrame frame);
  /// Frames that its stream had already lost.
  void put_lost(SpooledFrame first, std::uint64_t count, const std::string& reason);
  /// True once a frame of `bytes` would be taken; false after `timeout_ms` or close().
  [[nodiscard]] bool wait_for_room(std::uint64_t bytes, int timeout_ms);
  void end(std::size_t input);
  /// Nothing more is put.
  void close();

  /// The oldest; nullopt after `timeout_ms`, and at once when it is empty and closed.
  [[nodiscard]] std::optional<SpooledFrame> take(int timeout_ms);
  /// The input of what take() would return.
  [[nodiscard]] std::optional<std::size_t> next(int timeout_ms);
  /// Closed, and everything was taken.
  [[nodiscard]] bool finished() const;
  [[nodiscard]] bool closed() const;
  /// So many of those that were taken are lost after all.
  void count_lost(std::uint64_t frames);
  /// What is said of frames that are lost from now on.
  void set_reason(const std::string& reason);

  struct Counts {
    std::uint64_t frames = 0;  // in it
    std::uint64_t memory_bytes = 0;
    std::uint64_t disk_bytes = 0;
    std::uint64_t most_frames = 0;  // that ever were in it
    std::uint64_t spilled = 0;      // frames that went to the other disk
    std::uint64_t disk_errors = 0;  // frames that it could not take or give back
    std::uint64_t lost = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  enum class Place {
    memory,
    waiting,  // to be written to the other disk
    moving,   // being written
    disk
  };
  struct Item {
    SpooledFrame frame;
    std::uint64_t bytes = 0;  // of its buffer
    std::uint64_t kept = 0;   // beside it: in memory, wherever the buffer is
    Place place = Place::memory;
    std::optional<std::uint64_t> disk_offset{};  // where room is reserved for it
  };
  /// In memory: within the share of frames that stay there, or within all of it.
  [[nodiscard]] bool fits(std::uint64_t bytes) const;
  [[nodiscard]] bool fits_at_all(std::uint64_t bytes) const;
  [[nodiscard]] bool store(Item& item, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool wait_for_disk(std::uint64_t bytes, std::unique_lock<std::mutex>& lock);
  void lose(SpooledFrame first, std::uint64_t count, const std::string& reason);
  void move_to_disk() noexcept;
  void moved(Item& item, int failure);
  void disk_failed(const char* what, int failure);
  void restore(Item& item, std::unique_lock<std::mutex>& lock);

  Settings settings_;
  mutable std::mutex mutex_;
  std::condition_variable came_;
  std::condition_variable went_;
  std::condition_variable moves_;  // there is something to be written, or it was written
  std::list<Item> items_;
  std::deque<Item*> waiting_;  // in items_
  bool moving_ = false;
  std::optional<SpoolFile> file_;
  std::vector<SpooledFrame*> open_loss_;  // of each input: the loss that it ends with, in items_
  std::string reason_;
  bool full_ = false;
  bool closed_ = false;
  bool disk_fails_ = false;
  bool disk_is_slow_ = false;  // it was waited for, and had written nothing
  bool stopping_ = false;
  Counts counts_;
  std::thread mover_;
};

}  // namespace record
