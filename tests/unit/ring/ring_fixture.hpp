// One ring in one process, over one mapping: a writer, and readers whose pages are plain memory.
#pragma once

#include <cstring>
#include <deque>
#include <memory>
#include <string>

#include <unistd.h>

#include <reel/ring/ring_reader.hpp>
#include <reel/ring/ring_writer.hpp>
#include <reel/ring/stream_memory.hpp>

namespace reel {

/// Notes who was woken.
class WakeLog final : public ReaderWaker {
 public:
  void wake(std::uint32_t index, WakeKind kind, ReaderPage&) noexcept override {
    ++count;
    last_index = index;
    last_kind = kind;
  }
  int count = 0;
  std::uint32_t last_index = 99;
  WakeKind last_kind = WakeKind::none;
};

struct RingSetup {
  std::uint32_t slots = 4;
  std::uint64_t slot_bytes = 64;
  std::uint32_t history = 1;
  bool live = false;
  ChecksumMode checksum = ChecksumMode::full;
};

inline StreamRequest request_of(const RingSetup& setup) {
  StreamRequest request;
  request.name = "test";
  request.slots = setup.slots;
  request.slot_bytes = setup.slot_bytes;
  request.side_data_bytes = 64;
  request.history = setup.history;
  request.live = setup.live;
  request.checksum = setup.checksum;
  request.segment_name = "reel-ring-test-" + std::to_string(::getpid());
  return request;
}

class Ring {
 public:
  explicit Ring(const RingSetup& setup = {}) : memory(request_of(setup)), writer(memory.view(), setup.live) {}

  /// A reader in the scan set, at `cursor` (0: where the writer is).
  RingReader join(bool lossless, std::uint32_t max_pins = 2, std::uint64_t cursor = 0) {
    ReaderPage& page = pages.emplace_back();
    const auto index = static_cast<std::uint32_t>(pages.size() - 1);
    writer.admit(index, page, lossless, max_pins);
    writer.grant(index, cursor == 0 ? writer.head() : cursor);
    return {memory.view(), page};
  }

  /// False when no slot is to be had.
  bool publish(std::uint32_t flags = kKeyFrame) {
    const auto slot = writer.acquire();
    if (!slot) return false;
    publish_slot(*slot, flags);
    return true;
  }
  void publish_slot(std::uint32_t slot, std::uint32_t flags = kKeyFrame) {
    const std::uint64_t sequence = writer.next_sequence();
    std::memcpy(memory.view().slot_payload(slot), &sequence, sizeof sequence);
    PublishRequest request;
    request.info.flags = flags;
    request.payload_bytes = sizeof sequence;
    writer.publish(slot, request, wakes);
  }
  [[nodiscard]] std::uint64_t payload(const TakenSlot& taken) const {
    std::uint64_t value = 0;
    std::memcpy(&value, memory.view().slot_payload(taken.slot), sizeof value);
    return value;
  }

  OwnedStreamMemory memory;
  RingWriter writer;
  std::deque<ReaderPage> pages;
  WakeLog wakes;
};

}  // namespace reel
