// The messages between a stream's writer and its readers, over a SOCK_SEQPACKET socket: nothing here but
// layout. HANDSHAKE.md beside this layer tells who says what when. Fixed sizes, little-endian; whoever
// receives one checks length, type, version and number of descriptors before it looks at anything else. A
// message of one byte is a doorbell (to a reader) or a kick (to a waiting writer). Messages of an unknown
// type are ignored within a major version.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <reel/ring/layout.hpp>

namespace reel {

inline constexpr std::uint64_t kHandshakeMagic = 0x31'53'48'4C'45'45'52'2E;  // ".REELHS1" in memory
inline constexpr std::uint16_t kHandshakeMajor = 1;
inline constexpr std::uint16_t kHandshakeMinor = 2;
inline constexpr std::size_t kMaxMessageBytes = 1024;
inline constexpr std::size_t kMaxMessageDescriptors = 3;
inline constexpr std::size_t kReaderNameBytes = 64;  // closing zero included

enum class MessageType : std::uint32_t {
  hello = 1,           // reader: who it is and what it wants
  welcome = 2,         // writer: control, payload and (for readers) page descriptors
  refused = 3,         // writer: why not; then it closes
  moved = 4,           // writer: a WelcomeMessage for the memory in which the stream goes on
  demoted = 5,         // writer: a lossless reader stalled it too long and is treated as `queue` from now on
  status_request = 6,  // observer
  status = 7,          // writer: totals; as many reader_status follow as it says
  reader_status = 8,   // writer
  key_frame_request = 9,  // reader
  leave = 10,             // reader: goes on purpose
  parked = 11,  // writer, to a reader of minor 1 and up: welcome (or refused) comes when there are more slots
  comes_back = 12  // reader, once it is in: where it dies, another of its name follows
};

enum class PeerRole : std::uint32_t { reader = 1, observer = 2 };

struct MessageHeader {
  std::uint64_t magic = kHandshakeMagic;
  std::uint16_t major = kHandshakeMajor, minor = kHandshakeMinor;
  MessageType type{};
};
static_assert(sizeof(MessageHeader) == 16);

struct HelloMessage {
  MessageHeader header{.type = MessageType::hello};
  PeerRole role = PeerRole::reader;
  std::uint32_t policy = 0;  // Policy
  std::uint32_t start = 0;   // Start
  std::uint32_t max_pins = 0;
  std::array<char, kReaderNameBytes> name{};
};
static_assert(sizeof(HelloMessage) == 96);

/// With three descriptors for a reader (control, payload, page), two for an observer.
struct WelcomeMessage {
  MessageHeader header{.type = MessageType::welcome};
  std::uint32_t memory = 0;  // SegmentKind of control and payload; a page is always memfd
  std::uint32_t reader_index = 0;
  std::uint64_t control_bytes = 0, payload_bytes = 0, page_bytes = 0;
  EpochId epoch{};
};
static_assert(sizeof(WelcomeMessage) == 64);

struct RefusedMessage {
  MessageHeader header{.type = MessageType::refused};
  std::uint32_t code = 0;  // ErrorCode
  std::uint32_t text_bytes = 0;
  std::array<char, 488> text{};
};
static_assert(sizeof(RefusedMessage) == 512);

/// demoted, status_request, key_frame_request, leave, parked, comes_back.
struct PlainMessage {
  MessageHeader header;
};

struct StatusMessage {
  MessageHeader header{.type = MessageType::status};
  std::uint32_t readers = 0;
  std::uint32_t reserved = 0;
  std::uint64_t demoted = 0, refused = 0, epochs = 0;
};
static_assert(sizeof(StatusMessage) == 48);

struct ReaderStatusMessage {
  MessageHeader header{.type = MessageType::reader_status};
  std::uint32_t pid = 0, policy = 0, demoted = 0, pinned = 0, max_pins = 0;
  std::uint32_t away_ms = 0;  // not 0: it died so long ago, and is waited for
  std::uint64_t cursor = 0, delivered = 0, verified = 0, skipped = 0, lapped = 0, corrupted = 0, waits = 0;
  std::array<char, kReaderNameBytes> name{};
};
static_assert(sizeof(ReaderStatusMessage) == 160);

static_assert(std::is_trivially_copyable_v<HelloMessage> && std::is_trivially_copyable_v<WelcomeMessage> &&
              std::is_trivially_copyable_v<RefusedMessage> &&
              std::is_trivially_copyable_v<ReaderStatusMessage>);

}  // namespace reel
