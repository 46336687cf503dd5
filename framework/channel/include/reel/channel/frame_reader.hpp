// Reads one stream. Single-thread, but for interrupt(). Reads never block the writer beyond what the policy
// grants.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <reel/channel/frame.hpp>
#include <reel/channel/options.hpp>

namespace reel {

enum class ReadStatus {
  frame,   // a frame was taken
  empty,   // none yet: the timeout passed, or the stream has no writer at present and `reconnect` is on
  ended,   // end of stream: every frame owed was delivered, there will be no more
  closed,  // the writer went away without ending the stream and `reconnect` is off
  too_many_held,  // max_pins frames are still held by the caller: release one
  interrupted,    // interrupt() was called
  failed          // the stream cannot be read (refused, hostile, another version): error() says why
};

[[nodiscard]] std::string_view to_string(ReadStatus status) noexcept;

/// Counted since the reader was opened, over all epochs.
struct ReaderStats {
  std::uint64_t delivered = 0;  // frames handed to the caller
  std::uint64_t verified = 0;   // of these, with their checksum compared and right
  std::uint64_t corrupted = 0;  // frames whose checksum was wrong (dropped unless deliver_corrupted)
  // frames passed over by policy: older than the newest (`latest`), before a key frame, or not `wanted`
  std::uint64_t skipped = 0;
  std::uint64_t lapped = 0;    // frames overwritten before they were read
  std::uint64_t connects = 0;  // writers met
  // not a count: sequence of the newest frame of the present writer that was delivered or passed over, for
  // whatever reason; 0: none
  std::uint64_t newest = 0;
};

class FrameReader {
 public:
  /// Connects when the writer is there (and lets it in within `connect_timeout_ms`); else the first reads do
  /// (with `reconnect`) or it throws Error{not_found}. Throws Error for a bad name or option, a refusal, a
  /// peer that does not speak the protocol.
  explicit FrameReader(std::string_view stream, const ReaderOptions& options = {});
  FrameReader(FrameReader&&) noexcept;
  FrameReader& operator=(FrameReader&&) noexcept;
  ~FrameReader();

  /// Takes the next frame, waiting up to `timeout_ms` (kForever, or 0 not at all). `frame` is released first,
  /// so that a loop with one Frame holds one slot at a time. Allocates nothing but where the stream's format
  /// changed or its memory is new. Damaged frames are passed over until the time is up (64 of them when it is
  /// 0), then it says empty: prepare_wait() and the next call go on from there.
  [[nodiscard]] ReadStatus read(Frame& frame, int timeout_ms = kForever) noexcept;
  [[nodiscard]] ReadStatus try_read(Frame& frame) noexcept { return read(frame, 0); }

  /// A descriptor for foreign event loops (epoll; readable means: call try_read until it says empty). The
  /// same one for the reader's whole life, over any number of writers. It fires only after prepare_wait()
  /// returned true.
  [[nodiscard]] int fd() const noexcept;
  /// Asks to be woken. Returns false when there is something to read already: do not wait. To wait for
  /// several readers: prepare_wait() on all, then poll all.
  [[nodiscard]] bool prepare_wait() noexcept;

  /// Makes a blocked and every later read return `interrupted`, until resume(). Thread-safe.
  void interrupt() noexcept;
  void resume() noexcept;
  /// For the end of a process that another will follow: the reader goes without a word, as if its process had
  /// died, and frames still held count as not taken. The writer keeps its place for
  /// WriterOptions::absence_timeout_ms; Start::resume goes on there. Nothing is to be read any more.
  void keep_place() noexcept;

  /// Asks the writer of an encoded stream for a key frame; false when there is no writer.
  bool request_key_frame() noexcept;

  [[nodiscard]] const std::string& stream() const noexcept;
  /// There is a writer, or one that has gone has left something to read.
  [[nodiscard]] bool connected() const noexcept;
  /// Not connected, but known to a writer that has too few slots for it and makes more with its next frame
  /// (WriterOptions::grow_for_readers). As of the last read or prepare_wait().
  [[nodiscard]] bool parked() const noexcept;
  /// Of the memory the stream is in now; 0 while there is no writer.
  [[nodiscard]] std::uint32_t slots() const noexcept;
  /// CLOCK_MONOTONIC when that memory was made; kNoTime while there is no writer. The same writer's sequences
  /// have gone on since, at least.
  [[nodiscard]] std::int64_t memory_created_ns() const noexcept;
  [[nodiscard]] ReaderStats stats() const noexcept;
  /// Why the last read failed; empty when none did.
  [[nodiscard]] const std::string& error() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reel
