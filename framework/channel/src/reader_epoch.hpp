// One life of a stream's memory as one reader sees it: the mappings, the ring's reading end, the records that
// frames name. Frames share it, so it lives until the last of them is let go. Single-thread, but for
// release().
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include <reel/channel/frame.hpp>
#include <reel/ring/ring_reader.hpp>

#include "socket.hpp"

namespace reel {

/// The socket to a writer, and what wakes a reader of ours that sleeps on its page. Shared by the reader, its
/// epochs and the service.
class ReaderConnection {
 public:
  explicit ReaderConnection(UniqueFd socket) : socket_(std::move(socket)) {}

  [[nodiscard]] int socket() const noexcept { return socket_.get(); }
  [[nodiscard]] bool hung_up() const noexcept { return hung_up_.load(std::memory_order_acquire); }
  void mark_hung_up() noexcept;
  /// What is held from now on stays held for the writer to see, whoever lets it go here. Thread-safe.
  void abandon() noexcept { abandoned_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool abandoned() const noexcept { return abandoned_.load(std::memory_order_relaxed); }
  /// Which page the reader sleeps on; kept alive here, because the service may ring it at any time.
  void sleep_on(std::shared_ptr<SharedSegment> page) noexcept;
  /// Wakes a reader that sleeps on its page. Thread-safe.
  void wake() noexcept;

 private:
  UniqueFd socket_;
  std::atomic<bool> hung_up_{false};
  std::atomic<bool> abandoned_{false};
  std::mutex mutex_;
  std::shared_ptr<SharedSegment> page_;
};

class ReaderEpoch {
 public:
  /// `welcome` with its three descriptors. Throws Error{protocol | version | no_memory}.
  ReaderEpoch(const WelcomeMessage& welcome, ReceivedMessage& received,
              std::shared_ptr<ReaderConnection> connection);

  [[nodiscard]] RingReader& ring() noexcept { return ring_; }
  [[nodiscard]] const StreamView& view() const noexcept { return memory_.view(); }
  [[nodiscard]] const std::shared_ptr<SharedSegment>& page() const noexcept { return page_; }

  /// Records by id, parsed and checked at their first use; nullptr for id 0 and for a record that is damaged.
  [[nodiscard]] const Format* format(std::uint32_t id);
  [[nodiscard]] const Segment* segment(std::uint32_t id);
  [[nodiscard]] const Tags* tags(std::uint32_t id);

  /// Lets a slot go, and tells a writer that waits for it. Thread-safe.
  void release(std::uint32_t slot) noexcept;

 private:
  std::shared_ptr<ReaderConnection> connection_;
  MappedStreamMemory memory_;
  std::shared_ptr<SharedSegment> page_;
  RingReader ring_;
  std::array<std::optional<Format>, kFormatRecords> formats_;
  std::array<std::optional<Segment>, kSegmentRecords> segments_;
  std::array<std::optional<Tags>, kTagsRecords> tags_;
};

}  // namespace reel
