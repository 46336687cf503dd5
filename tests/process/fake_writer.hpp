// The writer's side of the handshake by hand: listens under a stream's name and answers each reader with what
// a test has prepared.
#pragma once

#include "raw_peer.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include <reel/base/unique_fd.hpp>
#include <reel/ring/stream_memory.hpp>

namespace stream_test {

class FakeWriter {
 public:
  /// `answer` is called, on a thread of this object, with each connection whose hello was read; the
  /// connection is closed when it returns and the reader has hung up or this is destroyed.
  FakeWriter(const std::string& directory, const std::string& stream,
             std::function<void(const RawPeer&)> answer);
  ~FakeWriter();
  FakeWriter(const FakeWriter&) = delete;
  FakeWriter& operator=(const FakeWriter&) = delete;

 private:
  void serve();

  std::string path_;
  reel::UniqueFd listener_;
  std::function<void(const RawPeer&)> answer_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

/// A stream's memory and a reader's page as an honest writer would make them, to be damaged: everything is
/// writable here.
struct FakeStream {
  explicit FakeStream(const std::string& name, std::uint32_t slots = 4, std::uint64_t slot_bytes = 8192);

  [[nodiscard]] reel::StreamHeader& header() const noexcept { return *memory.view().header; }
  /// Makes the header's checksum right again.
  void seal_geometry() const noexcept;
  /// Makes a slot READY with this record, its header checksum right, and the newest.
  void publish(std::uint32_t slot, reel::SlotRecord record) const noexcept;
  /// An honest record of a frame of zeros.
  [[nodiscard]] reel::SlotRecord record(std::uint64_t sequence) const;

  [[nodiscard]] reel::WelcomeMessage welcome() const;
  /// Sends `welcome` with control, payload and page.
  void send(const RawPeer& peer, const reel::WelcomeMessage& message) const;

  reel::OwnedStreamMemory memory;
  std::unique_ptr<reel::OwnedSegment> page;
};

}  // namespace stream_test
