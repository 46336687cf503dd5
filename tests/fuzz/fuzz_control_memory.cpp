// Control memory of a hostile writer: the input changes that of an honest one. Its first byte says which
// checksums are made to fit again; then come changes, each a place (two bytes), a length and so many bytes.
// What is accepted stays inside the memory that was mapped, frames and all.
#include "fuzz.hpp"
#include "ring_fixture.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <reel/base/checksum.hpp>
#include <reel/base/error.hpp>
#include <reel/ring/header_checksum.hpp>

namespace {

using namespace reel;
using fuzz::require;

constexpr int kFrames = 6;
constexpr int kMostTakes = 64;

// An honest writer's memory with some frames, put back before each input.
class Honest {
 public:
  Honest() {
    for (int i = 0; i < kFrames; ++i) require(ring_.publish(), "nobody holds a slot");
    const std::span<const std::byte> control = bytes();
    before_.assign(control.begin(), control.end());
  }
  void restore() { std::memcpy(static_cast<void*>(view().header), before_.data(), before_.size()); }
  [[nodiscard]] const StreamView& view() const { return ring_.memory.view(); }
  [[nodiscard]] std::span<std::byte> bytes() {
    return {reinterpret_cast<std::byte*>(view().header), view().geometry.control_bytes};
  }
  [[nodiscard]] const OwnedStreamMemory& memory() const { return ring_.memory; }

 private:
  Ring ring_;
  std::vector<std::byte> before_;
};

// The tables of records between them are large, and have a fuzzer of their own.
std::size_t place_of(std::uint16_t word, const StreamGeometry& geometry) {
  if (word < 0x8000) return word % sizeof(StreamHeader);
  return geometry.ring_offset + (word & 0x7FFF) % (geometry.control_bytes - geometry.ring_offset);
}

void change(Honest& honest, std::span<const std::uint8_t> input) {
  const StreamGeometry geometry = honest.view().geometry;
  const std::span<std::byte> control = honest.bytes();
  while (input.size() >= 4) {
    const std::size_t place = place_of(static_cast<std::uint16_t>(input[0] | input[1] << 8), geometry);
    const std::size_t given = std::min<std::size_t>(input[2], input.size() - 3);
    std::memcpy(control.data() + place, input.data() + 3, std::min(given, control.size() - place));
    input = input.subspan(3 + given);
  }
}

void make_fit(const Honest& honest, std::uint8_t which) {
  StreamHeader& header = *honest.view().header;
  if ((which & 1) != 0) header.geometry_checksum = checksum(std::as_bytes(std::span(&header.geometry, 1)));
  if ((which & 2) == 0) return;
  for (std::uint32_t slot = 0; slot < honest.view().geometry.slots; ++slot) {
    SlotHeader& changed = honest.view().slots[slot];
    changed.header_checksum = header_checksum(changed.record);
  }
}

void look_at(const StreamView& view, const TakenSlot& taken) {
  const StreamGeometry& geometry = view.geometry;
  require(taken.slot < geometry.slots, "a slot is one of the ring's");
  require(taken.record.payload_bytes <= geometry.slot_bytes, "a payload fits its slot");
  require(taken.record.side_data_bytes <= geometry.side_data_bytes, "side data fits its place");
  const std::byte* payload = view.slot_payload(taken.slot);
  const std::byte* side_data = view.slot_side_data(taken.slot);
  // A place outside the mapping is a fault.
  (void)checksum(std::span(payload, taken.record.payload_bytes));
  (void)checksum(std::span(side_data, taken.record.side_data_bytes));
}

void read_all(const StreamView& view, const TakeRules& rules) {
  ReaderPage page{};
  page.cursor.store(view.geometry.first_sequence, std::memory_order_relaxed);
  RingReader reader(view, page);
  TakenSlot taken;
  TakeCounters counters;
  for (int i = 0; i < kMostTakes; ++i) {
    const std::uint64_t before = reader.cursor();
    const TakeStatus status = reader.take(rules, taken, counters);
    (void)reader.take_owed_kick();
    require(reader.cursor() >= before, "a cursor never goes back");
    if (status == TakeStatus::taken) {
      look_at(view, taken);
      (void)reader.unpin(taken.slot);
    } else if (status != TakeStatus::corrupted) {
      break;
    }
  }
  require(reader.pins() == 0, "no slot stays pinned");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Honest honest;
  if (size == 0) return 0;
  const StreamGeometry geometry = honest.memory().view().geometry;
  change(honest, std::span(data + 1, size - 1));
  make_fit(honest, data[0]);
  try {
    const MappedStreamMemory mapped(SegmentKind::memfd, honest.memory().control().share_read_only(),
                                    geometry.control_bytes, honest.memory().payload().share_read_only(),
                                    geometry.payload_bytes);
    read_all(mapped.view(), {});
    read_all(mapped.view(), {.newest = true});
    read_all(mapped.view(), {.key_frames = true});
    (void)next_epoch(mapped.view());
  } catch (const Error& error) {
    require(error.code() == ErrorCode::protocol || error.code() == ErrorCode::version,
            "the error is protocol or version");
    require(!error.message().empty(), "the error says what is wrong");
  }
  honest.restore();
  return 0;
}
