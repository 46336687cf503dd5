// What a display shows: the newest picture of each video input, levels, rates and counters. The stage thread
// writes, the page's and the window's threads read. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include <reel/channel/frame_reader.hpp>
#include <reel/format/side_data.hpp>

/// A picture as it was shown: never written again once it is on the board.
struct Picture {
  cv::Mat bgr;                 // 8-bit height x width x 3
  std::uint64_t number = 0;    // of the picture on this board, from 1
  std::uint64_t sequence = 0;  // of its frame
  std::int64_t pts_ns = 0;
};

/// Frames a second over the last two seconds or so.
class Rate {
 public:
  void add(std::int64_t now_ns) noexcept;
  [[nodiscard]] double per_second(std::int64_t now_ns) const noexcept;

 private:
  static constexpr std::size_t kKept = 128;
  std::array<std::int64_t, kKept> times_ns_{};
  std::size_t count_ = 0;  // of all frames ever
};

struct StreamState {
  std::string stream;
  std::string kind;  // "video", "audio", ...; empty before the first frame
  std::string caps;
  double rate = 0;  // frames a second
  bool ended = false;
  bool connected = false;
  std::int64_t pts_ns = -1;
  std::uint32_t width = 0, height = 0;  // video
  std::size_t detections = 0;           // of the newest frame
  reel::ReaderStats stats;
  std::optional<reel::AudioLevel> level;
};

class Board {
 public:
  explicit Board(std::vector<std::string> streams);

  // From the stage thread. `index` is the position among the streams.
  void count_frame(std::size_t index, const reel::Frame& frame, const reel::ReaderStats& stats,
                   std::int64_t now_ns);
  void set_picture(std::size_t index, cv::Mat bgr, const reel::Frame& frame);
  void set_ended(std::size_t index, const reel::ReaderStats& stats);
  /// Called (from the stage thread, without a lock held) after each new picture and end. Set before the first
  /// of them.
  void on_change(std::function<void()> call) { listeners_.push_back(std::move(call)); }

  /// The newest picture of stream `index`, or nullptr.
  [[nodiscard]] std::shared_ptr<const Picture> picture(std::size_t index) const;
  /// The last stream that has shown a picture, or nullopt.
  [[nodiscard]] std::optional<std::size_t> main_stream() const;
  [[nodiscard]] std::optional<std::size_t> find(const std::string& stream) const;
  [[nodiscard]] std::vector<StreamState> states(std::int64_t now_ns) const;

 private:
  struct Stream {
    StreamState state;
    Rate rate;
    std::shared_ptr<const Picture> picture;
  };
  void tell() const;

  mutable std::mutex mutex_;  // guards streams_ and numbers_
  std::vector<Stream> streams_;
  std::uint64_t numbers_ = 0;
  std::vector<std::function<void()>> listeners_;
};
