// What a reader refuses of a writer's memory: every field that is used later, one by one.
#include "ring_fixture.hpp"

#include <bit>
#include <cstring>
#include <functional>
#include <random>

#include <gtest/gtest.h>

#include <reel/base/checksum.hpp>
#include <reel/base/error.hpp>

namespace reel {
namespace {

struct Forgery {
  const char* name;
  std::function<void(StreamHeader&)> change;
  const char* message;  // part of what must be said
  bool fix_checksum = true;
};

std::string said_of(OwnedStreamMemory& memory, std::uint64_t control_bytes, std::uint64_t payload_bytes) {
  try {
    const MappedStreamMemory mapped(SegmentKind::memfd, memory.control().share_read_only(), control_bytes,
                                    memory.payload().share_read_only(), payload_bytes);
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

class ForgedControl : public testing::TestWithParam<Forgery> {};

TEST_P(ForgedControl, IsRefusedWithItsReason) {
  OwnedStreamMemory memory(request_of({}));
  StreamHeader& header = *memory.view().header;
  const std::uint64_t control = header.geometry.control_bytes;
  const std::uint64_t payload = header.geometry.payload_bytes;
  ASSERT_EQ(said_of(memory, control, payload), "accepted");
  GetParam().change(header);
  if (GetParam().fix_checksum)
    header.geometry_checksum = checksum(std::as_bytes(std::span(&header.geometry, 1)));
  EXPECT_NE(said_of(memory, control, payload).find(GetParam().message), std::string::npos)
      << said_of(memory, control, payload);
}

INSTANTIATE_TEST_SUITE_P(
    EveryField, ForgedControl,
    testing::Values(
        Forgery{"Magic", [](StreamHeader& h) { h.magic = 1; }, "magic"},
        Forgery{"Major", [](StreamHeader& h) { h.geometry.layout_major = 3; }, "version 3.0"},
        Forgery{"HeaderBytes", [](StreamHeader& h) { h.geometry.header_bytes = 256; }, "version"},
        Forgery{"Checksum", [](StreamHeader& h) { h.geometry.slots = 5; }, "checksum", false},
        Forgery{"Features", [](StreamHeader& h) { h.geometry.features = 4; }, "features"},
        Forgery{"NoSlots", [](StreamHeader& h) { h.geometry.slots = 0; }, "slots"},
        Forgery{"TooManySlots", [](StreamHeader& h) { h.geometry.slots = 257; }, "slots"},
        Forgery{"RingWords", [](StreamHeader& h) { h.geometry.ring_words = 3; }, "ring_words"},
        Forgery{"HugeRing", [](StreamHeader& h) { h.geometry.ring_words = 1u << 31; }, "ring_words"},
        Forgery{"SlotBytes", [](StreamHeader& h) { h.geometry.slot_bytes = 1ull << 60; }, "slot_bytes"},
        Forgery{"SideData", [](StreamHeader& h) { h.geometry.side_data_bytes = 1ull << 40; },
                "side_data_bytes"},
        Forgery{"Stride", [](StreamHeader& h) { h.geometry.slot_stride_bytes = 64; }, "slot_stride_bytes"},
        Forgery{"Payload", [](StreamHeader& h) { h.geometry.payload_bytes += 4096; }, "payload_bytes"},
        Forgery{"Control", [](StreamHeader& h) { h.geometry.control_bytes += 4096; }, "control_bytes"},
        Forgery{"Formats", [](StreamHeader& h) { h.geometry.formats_offset = ~0ull - 7; }, "formats_offset"},
        Forgery{"Segments", [](StreamHeader& h) { h.geometry.segments_offset += 1; }, "segments_offset"},
        Forgery{"Tags", [](StreamHeader& h) { h.geometry.tags_offset = h.geometry.control_bytes; },
                "tags_offset"},
        Forgery{"Ring", [](StreamHeader& h) { h.geometry.ring_offset = 64; }, "ring_offset"},
        Forgery{"Slots", [](StreamHeader& h) { h.geometry.slots_offset = 1ull << 63; }, "slots_offset"},
        Forgery{"ChecksumMode", [](StreamHeader& h) { h.geometry.checksum_mode = 3; }, "checksum_mode"},
        Forgery{"FirstSequence", [](StreamHeader& h) { h.geometry.first_sequence = 0; }, "first_sequence"}),
    [](const auto& forgery) { return forgery.param.name; });

TEST(StreamMemory, RefusesOtherSizesThanAnnounced) {
  OwnedStreamMemory memory(request_of({}));
  const StreamGeometry& g = memory.view().geometry;
  EXPECT_NE(said_of(memory, g.control_bytes + 4096, g.payload_bytes), "accepted");
  EXPECT_NE(said_of(memory, g.control_bytes, g.payload_bytes - 4096), "accepted");
  EXPECT_NE(said_of(memory, 0, g.payload_bytes), "accepted");
  EXPECT_NE(said_of(memory, g.control_bytes, ~std::uint64_t{0}), "accepted");
}

TEST(StreamMemory, SurvivesRandomBytesInPlaceOfItsHeader) {
  std::mt19937_64 random(20);
  for (int round = 0; round < 200; ++round) {
    OwnedStreamMemory memory(request_of({}));
    StreamHeader& header = *memory.view().header;
    const std::uint64_t control = memory.view().geometry.control_bytes;
    const std::uint64_t payload = memory.view().geometry.payload_bytes;
    auto* bytes = reinterpret_cast<unsigned char*>(&header.geometry);
    for (int i = 0; i < 1 + round % 32; ++i)
      bytes[random() % sizeof header.geometry] = static_cast<unsigned char>(random());
    header.geometry_checksum = checksum(std::as_bytes(std::span(&header.geometry, 1)));
    const std::string said = said_of(memory, control, payload);
    if (said != "accepted") continue;
    const StreamGeometry& g = header.geometry;  // what was let through can be used without leaving the memory
    EXPECT_LE(g.slots_offset + g.slots * sizeof(SlotHeader), control);
    EXPECT_EQ(g.slots * g.slot_stride_bytes, payload);
  }
}

// The layout is a contract between programs built at different times: these bytes may change only with
// kLayoutMajor, what was zero before with kLayoutMinor too.
TEST(StreamMemory, HasTheBytesThatThePageDraws) {
  Ring ring({.slots = 2, .slot_bytes = 64, .history = 0});
  ASSERT_TRUE(ring.publish());
  const auto* control = reinterpret_cast<const unsigned char*>(ring.memory.view().header);
  const auto word = [&](std::size_t at) {
    std::uint64_t value = 0;
    std::memcpy(&value, control + at, sizeof value);
    return value;
  };
  EXPECT_EQ(std::memcmp(control, "REELSTR1", 8), 0);
  EXPECT_EQ(word(16), 0x0000'0200'0000'0002u) << "layout 2.0, a header of 512 bytes";
  EXPECT_EQ(word(16 + 32), 0x0000'0002'0000'0002u) << "slots, ring words";
  EXPECT_EQ(word(16 + 40), 64u) << "slot bytes";
  EXPECT_EQ(word(16 + 80), 512u) << "formats offset";
  EXPECT_EQ(word(16 + 88), 512u + 16 * 19480) << "segments offset";
  EXPECT_EQ(word(16 + 144), 1u) << "first sequence";
  EXPECT_EQ(std::memcmp(control + 16 + 160, "test", 5), 0);
  EXPECT_EQ(word(256), 1u << 16) << "head: frame 1 in slot 0";
  EXPECT_EQ(word(320), 1u) << "oldest";
  EXPECT_EQ(word(328), 1u) << "last key frame";
  const std::size_t ring_offset = word(16 + 104);
  const std::size_t slots_offset = word(16 + 112);
  EXPECT_EQ(word(ring_offset + 8), 1u << 16) << "ring word of frame 1, at 1 modulo 2";
  EXPECT_EQ(word(slots_offset), 1u << 2 | 2u) << "frame 1, READY";
  EXPECT_EQ(word(slots_offset + 16), 1u) << "the record's sequence";
  EXPECT_EQ(word(slots_offset + 24) & 0xFF, 1u) << "kind media";
  EXPECT_EQ(word(slots_offset + 24) >> 32, 1u) << "flag key frame";
  EXPECT_EQ(word(slots_offset + 40), 8u) << "payload bytes";
  EXPECT_EQ(word(slots_offset + 72), ~std::uint64_t{0}) << "no pts";
  const EpochId next = make_epoch_id();
  ring.writer.move(next, ring.wakes);
  EXPECT_EQ(word(392), 2u) << "moved";
  EXPECT_EQ(std::memcmp(control + 424, next.data(), next.size()), 0) << "next epoch";
}

}  // namespace
}  // namespace reel
