// The reader of one reelsrc, and all that may end a wait for it: flushes, pauses, another stream, a request
// for a key frame. take() and what is not marked otherwise belong to the streaming thread (or to state
// changes while it does not run).
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <reel/channel/frame_reader.hpp>

namespace reel::gst {

class Inlet {
 public:
  enum class Came {
    frame,
    nothing,   // kLookMs passed: time to look whether the writer is there
    ended,     // end of stream
    closed,    // no writer, and the reader was told not to wait for one
    flushing,  // unlock() was called
    retarget,  // take_target() has another stream
    failed     // error() says why
  };
  /// How often take() comes back without a frame, so that a writer's going is noticed.
  static constexpr int kLookMs = 50;

  /// From here on retarget() is heeded; there is no reader yet.
  void begin();
  /// Meets the writer when there is one that answers. Throws Error as FrameReader does.
  void open(const std::string& stream, const ReaderOptions& options);
  [[nodiscard]] bool is_open() const noexcept { return reader_ != nullptr; }
  void close();

  [[nodiscard]] Came take(Frame& frame);
  [[nodiscard]] bool connected() const noexcept { return reader_->connected(); }
  /// The writer is there, and lets this reader in with its next frame.
  [[nodiscard]] bool parked() const noexcept { return reader_->parked(); }
  [[nodiscard]] std::uint32_t slots() const noexcept { return reader_->slots(); }
  /// There is something to take already.
  [[nodiscard]] bool ready() noexcept { return !reader_->prepare_wait(); }
  /// stats() for the thread that takes.
  [[nodiscard]] const ReaderStats& last_stats() const noexcept { return stats_; }
  [[nodiscard]] const std::string& error() const noexcept { return reader_->error(); }
  [[nodiscard]] std::optional<std::string> take_target();

  // From any thread, without blocking for longer than a lock is held:

  void unlock();
  void resume();
  /// Nothing is taken between the two, and nothing ends either.
  void pause();
  void play();
  void retarget(std::string stream);
  void ask_for_key_frame();
  /// As of the last take().
  [[nodiscard]] ReaderStats stats() const;

 private:
  [[nodiscard]] bool wanted_elsewhere() const noexcept {
    return unlocked_ || paused_ || key_frame_wanted_ || target_.has_value();
  }
  void apply() noexcept;
  [[nodiscard]] std::optional<Came> attend();

  mutable std::mutex mutex_;  // of reader_'s place and of everything below
  std::condition_variable changed_;
  std::unique_ptr<FrameReader> reader_;
  // The reader is interrupted while any of these is set: apply() is called after every change.
  bool begun_ = false;
  bool unlocked_ = false;
  bool paused_ = false;
  bool key_frame_wanted_ = false;
  std::optional<std::string> target_;
  std::atomic<bool> wanted_{false};  // any of them, for a look without the mutex
  // Written by begin() and open() before the streaming thread takes (the base class's live lock, or the
  // thread's start, comes between), from then on by that thread alone: which reads it without the mutex.
  ReaderStats stats_;
};

}  // namespace reel::gst
