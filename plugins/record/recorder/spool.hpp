// Frames between the stage, which must not keep its streams waiting, and the recorder, which encoder and disk
// keep waiting: in memory, then in a file on another disk, then lost and counted. The stage's thread puts,
// the recorder's thread takes; everything is thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
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
    std::uint64_t memory_bytes = 256'000'000;
    std::uint64_t disk_bytes = 0;  // 0: none
    std::string disk_directory{};
  };
  /// Throws reel::Error where the directory takes no file.
  Spool(const Settings& settings, std::size_t inputs);

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
    std::uint64_t lost = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Item {
    SpooledFrame frame;
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> disk_offset;  // its bytes are there
  };
  [[nodiscard]] bool fits(std::uint64_t bytes) const;
  [[nodiscard]] bool store(Item& item);
  void lose(SpooledFrame first, std::uint64_t count, const std::string& reason);
  void restore(Item& item);

  Settings settings_;
  mutable std::mutex mutex_;
  std::condition_variable came_;
  std::condition_variable went_;
  std::list<Item> items_;
  std::optional<SpoolFile> file_;
  std::vector<SpooledFrame*> open_loss_;  // of each input: the loss that it ends with, in items_
  std::string reason_;
  bool full_ = false;
  bool closed_ = false;
  Counts counts_;
};

}  // namespace record
