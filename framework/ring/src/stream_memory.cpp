#include <reel/ring/stream_memory.hpp>

#include <sys/random.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <new>

#include <fmt/format.h>
#include <reel/base/error.hpp>
#include <reel/format/side_data.hpp>

namespace reel {
namespace {

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

// Larger than any frame there is, small enough that no sum below overflows.
constexpr std::uint64_t kMaxSlotBytes = std::uint64_t{1} << 36;

StreamGeometry plan(const StreamRequest& request) {
  StreamGeometry g{};
  g.layout_major = kLayoutMajor;
  g.layout_minor = kLayoutMinor;
  g.header_bytes = sizeof(StreamHeader);
  g.slots = request.slots;
  g.ring_words = std::bit_ceil(request.slots);
  g.slot_bytes = round_up(std::max<std::uint64_t>(request.slot_bytes, 1), 64);
  g.side_data_bytes = round_up(request.side_data_bytes, 64);
  g.slot_stride_bytes = round_up(g.slot_bytes + g.side_data_bytes, kPageBytes);
  g.formats_offset = sizeof(StreamHeader);
  g.segments_offset = g.formats_offset + kFormatRecords * sizeof(FormatRecord);
  g.tags_offset = g.segments_offset + kSegmentRecords * sizeof(SegmentRecord);
  g.ring_offset = round_up(g.tags_offset + kTagsRecords * sizeof(TagsRecord), 64);
  g.slots_offset = round_up(g.ring_offset + g.ring_words * sizeof(std::uint64_t), 64);
  g.control_bytes = round_up(g.slots_offset + g.slots * sizeof(SlotHeader), kPageBytes);
  g.payload_bytes = g.slots * g.slot_stride_bytes;
  g.checksum_mode = static_cast<std::uint32_t>(request.checksum);
  g.live = request.live ? 1 : 0;
  g.history = request.history;
  g.memory = static_cast<std::uint32_t>(request.memory);
  g.first_sequence = request.first_sequence;
  return g;
}

StreamView view_of(std::byte* control, std::byte* payload, const StreamGeometry& g) {
  StreamView view;
  view.header = reinterpret_cast<StreamHeader*>(control);
  view.formats = reinterpret_cast<FormatRecord*>(control + g.formats_offset);
  view.segments = reinterpret_cast<SegmentRecord*>(control + g.segments_offset);
  view.tags = reinterpret_cast<TagsRecord*>(control + g.tags_offset);
  view.ring = reinterpret_cast<std::atomic<std::uint64_t>*>(control + g.ring_offset);
  view.slots = reinterpret_cast<SlotHeader*>(control + g.slots_offset);
  view.payload = payload;
  view.geometry = g;
  return view;
}

std::span<const std::byte> bytes_of(const StreamGeometry& geometry) {
  return std::as_bytes(std::span(&geometry, 1));
}

[[noreturn]] void reject(const std::string& what) {
  throw Error(ErrorCode::protocol, "the writer's control memory cannot be right: " + what);
}

void expect(bool holds, std::string_view field, std::uint64_t value, std::string_view rule) {
  if (!holds) reject(fmt::format("{} is {}, must be {}", field, value, rule));
}

// Every number that is used as a size, an index or an offset later.
void check_geometry(const StreamGeometry& g) {
  expect(g.features == 0, "features", g.features, "0: it asks for what this version does not know");
  expect(g.slots >= 2 && g.slots <= kRingSlotLimit, "slots", g.slots, "2 to 256");
  expect(g.ring_words == std::bit_ceil(g.slots), "ring_words", g.ring_words, "the slots' next power of two");
  expect(g.slot_bytes >= 1 && g.slot_bytes <= kMaxSlotBytes, "slot_bytes", g.slot_bytes, "1 to 64 GiB");
  expect(g.side_data_bytes <= kMaxSideDataBytes, "side_data_bytes", g.side_data_bytes, "16 MiB at most");
  expect(g.slot_stride_bytes >= g.slot_bytes + g.side_data_bytes &&
             g.slot_stride_bytes <= 2 * kMaxSlotBytes && g.slot_stride_bytes % kPageBytes == 0,
         "slot_stride_bytes", g.slot_stride_bytes, "whole pages that hold payload and side data");
  expect(g.payload_bytes == g.slots * g.slot_stride_bytes, "payload_bytes", g.payload_bytes,
         "slots times stride");
  expect(g.checksum_mode <= 2, "checksum_mode", g.checksum_mode, "0 to 2");
  expect(g.first_sequence >= kFirstSequence && g.first_sequence < std::uint64_t{1} << 47, "first_sequence",
         g.first_sequence, "from 1");
  const auto table = [&](std::string_view name, std::uint64_t offset, std::uint64_t size,
                         std::uint64_t alignment) {
    expect(offset >= sizeof(StreamHeader) && offset <= g.control_bytes && size <= g.control_bytes - offset &&
               offset % alignment == 0,
           name, offset, "aligned and within control");
  };
  table("formats_offset", g.formats_offset, kFormatRecords * sizeof(FormatRecord), 8);
  table("segments_offset", g.segments_offset, kSegmentRecords * sizeof(SegmentRecord), 8);
  table("tags_offset", g.tags_offset, kTagsRecords * sizeof(TagsRecord), 8);
  table("ring_offset", g.ring_offset, g.ring_words * sizeof(std::uint64_t), 64);
  table("slots_offset", g.slots_offset, g.slots * sizeof(SlotHeader), alignof(SlotHeader));
}

}  // namespace

std::uint64_t stream_memory_bytes(const StreamRequest& request) noexcept {
  const StreamGeometry g = plan(request);
  return g.control_bytes + g.payload_bytes;
}

OwnedStreamMemory::OwnedStreamMemory(const StreamRequest& request) {
  if (request.slot_bytes > kMaxSlotBytes)
    throw Error(ErrorCode::bad_argument, fmt::format("a slot of {} bytes is larger than the limit of {}",
                                                     request.slot_bytes, kMaxSlotBytes));
  StreamGeometry g = plan(request);
  g.epoch = make_epoch_id();
  g.writer_pid = static_cast<std::uint32_t>(::getpid());
  g.created_ns = monotonic_ns();
  request.name.copy(g.name.data(), g.name.size() - 1);

  const SegmentBackend& backend = segment_backend(request.memory);
  control_ = backend.create(request.segment_name + ".control", g.control_bytes);
  payload_ = backend.create(request.segment_name + ".payload", g.payload_bytes);
  const auto control_seal = control_->seal(Seal::size_and_writes);
  const auto payload_seal = payload_->seal(Seal::size_and_writes);
  g.sealed = control_seal == Seal::size_and_writes && payload_seal == Seal::size_and_writes ? 1 : 0;

  view_ = view_of(control_->data(), payload_->data(), g);
  auto* header = new (control_->data()) StreamHeader{};
  header->geometry = g;
  header->geometry_checksum = checksum(bytes_of(g));
  header->head.store(ring_word(g.first_sequence - 1, 0xFFFF), std::memory_order_relaxed);
  header->oldest.store(g.first_sequence, std::memory_order_relaxed);
  header->magic.store(kStreamMagic, std::memory_order_release);
}

MappedStreamMemory::MappedStreamMemory(SegmentKind kind, UniqueFd control, std::uint64_t control_bytes,
                                       UniqueFd payload, std::uint64_t payload_bytes) {
  expect(control_bytes >= sizeof(StreamHeader) && control_bytes <= std::uint64_t{1} << 30, "control size",
         control_bytes, "that of a stream header at least, 1 GiB at most");
  expect(payload_bytes > 0 && payload_bytes <= kMaxSlotBytes * kRingSlotLimit, "payload size", payload_bytes,
         "between 1 byte and 16 TiB");
  const SegmentBackend& backend = segment_backend(kind);
  control_ = backend.map(std::move(control), control_bytes, false);
  const auto* header = reinterpret_cast<const StreamHeader*>(control_->data());
  const std::uint64_t magic = header->magic.load(std::memory_order_acquire);
  if (magic != kStreamMagic)
    reject(fmt::format("its magic is {:#018x}, not {:#018x}: this is no Reel stream", magic, kStreamMagic));
  StreamGeometry g;
  std::memcpy(&g, &header->geometry, sizeof g);  // once: what is checked is what is used
  if (g.layout_major != kLayoutMajor || g.header_bytes != sizeof(StreamHeader))
    throw Error(
        ErrorCode::version,
        fmt::format(
            "the writer's memory layout is version {}.{}, this program reads {}.x: rebuild the older one",
            g.layout_major, g.layout_minor, kLayoutMajor));
  if (checksum(bytes_of(g)) != header->geometry_checksum) reject("the checksum of its header is wrong");
  expect(g.control_bytes == control_bytes, "control_bytes", g.control_bytes,
         fmt::format("{} as announced", control_bytes));
  expect(g.payload_bytes == payload_bytes, "payload_bytes", g.payload_bytes,
         fmt::format("{} as announced", payload_bytes));
  check_geometry(g);
  g.name.back() = '\0';
  payload_ = backend.map(std::move(payload), payload_bytes, false);
  view_ = view_of(control_->data(), payload_->data(), g);
}

EpochId next_epoch(const StreamView& view) noexcept {
  std::array<std::uint64_t, 2> words{};
  for (std::size_t i = 0; i < words.size(); ++i)
    words[i] = view.header->next_epoch[i].load(std::memory_order_relaxed);
  return std::bit_cast<EpochId>(words);
}

void store_next_epoch(const StreamView& view, const EpochId& next) noexcept {
  const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(next);
  for (std::size_t i = 0; i < words.size(); ++i)
    view.header->next_epoch[i].store(words[i], std::memory_order_relaxed);
}

EpochId make_epoch_id() {
  EpochId id{};
  if (::getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size()))
    throw_errno(errno, "no random number for the stream's epoch");
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0F) | 0x40);  // RFC 9562, section 5.4
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3F) | 0x80);
  return id;
}

std::string to_hex(const EpochId& id) {
  std::string hex;
  for (const std::uint8_t byte : id) hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace reel
