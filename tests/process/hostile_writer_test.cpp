// Writers that hand over what no honest writer would: the reader says what is wrong, and never crashes,
// whatever the bytes.
#include "fake_writer.hpp"
#include "stream_roles.hpp"

#include <cstring>
#include <random>

#include <fcntl.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/process_facts.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include <reel/base/checksum.hpp>
#include <reel/channel/frame_reader.hpp>

namespace {

using reel::ErrorCode;
using reel::FrameReader;
using reel::MessageType;
using reel::ReadStatus;
using reel::UniqueFd;
using stream_test::FakeStream;
using stream_test::FakeWriter;
using stream_test::RawPeer;

/// Sealed memory of given bytes, as a hostile writer would send in place of control.
UniqueFd sealed_memory(const std::vector<std::byte>& bytes) {
  UniqueFd fd(::memfd_create("reel-hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  EXPECT_EQ(::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
  return fd;
}

class HostileWriter : public stream_test::StreamTest {
 protected:
  HostileWriter() : fake_(stream()) {}

  [[nodiscard]] FakeStream& fake() { return fake_; }
  /// A reader of a writer that answers like this must be refused its stream by Error{code} with `words`.
  void expect_refusal(const std::function<void(const RawPeer&)>& answer, ErrorCode code,
                      std::initializer_list<std::string> words) {
    const FakeWriter writer(runtime_dir().path(), stream(), answer);
    reel_test::expect_error(code, words, [&] { FrameReader reader(stream()); });
  }
  void expect_refusal_of(const reel::WelcomeMessage& welcome, ErrorCode code,
                         std::initializer_list<std::string> words) {
    expect_refusal([&](const RawPeer& peer) { fake_.send(peer, welcome); }, code, words);
  }
  /// The same with control memory of these bytes, announced as such.
  void expect_control_refused(const std::vector<std::byte>& bytes, ErrorCode code,
                              std::initializer_list<std::string> words) {
    const UniqueFd control = sealed_memory(bytes);
    expect_refusal(
        [&](const RawPeer& peer) {
          reel::WelcomeMessage welcome = fake_.welcome();
          welcome.control_bytes = bytes.size();
          const UniqueFd payload = fake_.memory.payload().share_read_only();
          const UniqueFd page = fake_.page->share_writable();
          const int fds[] = {control.get(), payload.get(), page.get()};
          peer.send_as(welcome, fds);
        },
        code, words);
  }
  [[nodiscard]] std::vector<std::byte> honest_control() {
    const auto* bytes = reinterpret_cast<const std::byte*>(&fake_.header());
    return {bytes, bytes + fake_.memory.view().geometry.control_bytes};
  }

 private:
  FakeStream fake_;
};

TEST_F(HostileWriter, AnHonestFakeIsRead) {
  fake().publish(0, fake().record(1));
  const FakeWriter writer(runtime_dir().path(), stream(),
                          [&](const RawPeer& peer) { fake().send(peer, fake().welcome()); });
  FrameReader reader(stream());
  reel::Frame frame;
  ASSERT_EQ(reader.read(frame, 30'000), ReadStatus::frame) << reader.error();
  EXPECT_TRUE(frame.verified());
}

TEST_F(HostileWriter, EmptyControlIsRefused) {
  expect_control_refused({}, ErrorCode::protocol, {stream(), "control"});
}

TEST_F(HostileWriter, TruncatedControlIsRefused) {
  const std::vector<std::byte> whole = honest_control();
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{8}, sizeof(reel::StreamHeader) - 1, sizeof(reel::StreamHeader),
        std::size_t{4096}, whole.size() - 4096, whole.size() - 1}) {
    expect_control_refused({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)},
                           ErrorCode::protocol, {stream()});
  }
}

TEST_F(HostileWriter, ControlSmallerThanAnnouncedIsRefused) {
  std::vector<std::byte> half = honest_control();
  half.resize(half.size() / 2);
  const UniqueFd control = sealed_memory(half);
  expect_refusal(
      [&](const RawPeer& peer) {
        const UniqueFd payload = fake().memory.payload().share_read_only();
        const UniqueFd page = fake().page->share_writable();
        const int fds[] = {control.get(), payload.get(), page.get()};
        peer.send_as(fake().welcome(), fds);
      },
      ErrorCode::protocol,
      {stream(), std::to_string(half.size()), std::to_string(fake().welcome().control_bytes)});
}

TEST_F(HostileWriter, AnotherMagicIsRefused) {
  fake().header().magic.store(0x1234, std::memory_order_relaxed);
  expect_refusal_of(fake().welcome(), ErrorCode::protocol, {stream(), "magic"});
}

TEST_F(HostileWriter, AnotherLayoutVersionIsRefusedWithBothNumbers) {
  fake().header().geometry.layout_major = 9;
  fake().header().geometry.layout_minor = 3;
  fake().seal_geometry();
  expect_refusal_of(fake().welcome(), ErrorCode::version,
                    {stream(), "9.3", std::to_string(reel::kLayoutMajor) + "."});
}

TEST_F(HostileWriter, RandomControlIsRefused) {
  std::mt19937_64 random(7);
  std::vector<std::byte> noise = honest_control();
  for (int round = 0; round < 20; ++round) {
    for (std::byte& byte : noise) byte = static_cast<std::byte>(random());
    expect_control_refused(noise, ErrorCode::protocol, {stream()});
    std::memcpy(noise.data(), &reel::kStreamMagic, sizeof reel::kStreamMagic);
    expect_refusal(
        [&](const RawPeer& peer) {
          const UniqueFd control = sealed_memory(noise);
          const UniqueFd payload = fake().memory.payload().share_read_only();
          const UniqueFd page = fake().page->share_writable();
          const int fds[] = {control.get(), payload.get(), page.get()};
          peer.send_as(fake().welcome(), fds);
        },
        ErrorCode::version, {stream()});
  }
}

TEST_F(HostileWriter, AGeometryThatContradictsItselfIsRefused) {
  const reel::StreamGeometry honest = fake().header().geometry;
  const auto refuse = [&](const char* field, auto change) {
    fake().header().geometry = honest;
    change(fake().header().geometry);
    fake().seal_geometry();
    expect_refusal_of(fake().welcome(), ErrorCode::protocol, {stream(), field});
  };
  using Geometry = reel::StreamGeometry;
  refuse("slots", [](Geometry& g) { g.slots = 0; });
  refuse("slots", [](Geometry& g) { g.slots = 1; });
  refuse("slots", [](Geometry& g) { g.slots = 257; });
  refuse("ring_words", [](Geometry& g) { g.ring_words = 0; });
  refuse("ring_words", [](Geometry& g) { g.ring_words = 1u << 31; });
  refuse("slot_bytes", [](Geometry& g) { g.slot_bytes = 0; });
  refuse("slot_", [](Geometry& g) { g.slot_bytes = ~std::uint64_t{0}; });
  refuse("slot_stride", [](Geometry& g) { g.slot_stride_bytes = 0; });
  refuse("slot_stride", [](Geometry& g) { g.slot_stride_bytes = ~std::uint64_t{0} - 4095; });
  refuse("side_data", [](Geometry& g) { g.side_data_bytes = ~std::uint64_t{0} - 100; });
  refuse("payload_bytes", [](Geometry& g) { g.slots = 3; });
  for (auto offset : {&Geometry::formats_offset, &Geometry::segments_offset, &Geometry::tags_offset,
                      &Geometry::ring_offset, &Geometry::slots_offset}) {
    for (const std::uint64_t bad : {std::uint64_t{0}, std::uint64_t{513}, honest.control_bytes - 8,
                                    honest.control_bytes, ~std::uint64_t{0} - 63, ~std::uint64_t{0}}) {
      refuse("offset", [&](Geometry& g) { g.*offset = bad; });
    }
  }
  refuse("features", [](Geometry& g) { g.features = 1; });
  refuse("first_sequence", [](Geometry& g) { g.first_sequence = 0; });
  refuse("epoch", [](Geometry& g) { g.epoch[3] ^= 1; });
}

TEST_F(HostileWriter, WelcomesOfTheWrongFormAreRefused) {
  reel::WelcomeMessage message = fake().welcome();
  message.memory = 77;
  expect_refusal_of(message, ErrorCode::protocol, {stream(), "77"});
  message = fake().welcome();
  message.page_bytes = 4096;
  expect_refusal_of(message, ErrorCode::protocol, {stream(), "4096"});
  for (auto size : {&reel::WelcomeMessage::control_bytes, &reel::WelcomeMessage::payload_bytes}) {
    for (const std::uint64_t bad :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
      message = fake().welcome();
      message.*size = bad;
      expect_refusal_of(message, ErrorCode::protocol, {stream(), std::to_string(bad)});
    }
  }
  message = fake().welcome();
  message.header.type = MessageType::moved;
  expect_refusal_of(message, ErrorCode::protocol, {stream(), "type 4"});
  message = fake().welcome();
  message.header.major = 8;
  expect_refusal_of(message, ErrorCode::version, {stream(), "8." + std::to_string(reel::kHandshakeMinor)});
  message = fake().welcome();
  message.header.magic = 0;
  expect_refusal_of(message, ErrorCode::protocol, {stream()});
}

TEST_F(HostileWriter, AnswersOfEveryOtherLengthAreRefused) {
  const reel::WelcomeMessage message = fake().welcome();
  std::vector<std::byte> bytes(1200);
  std::memcpy(bytes.data(), &message, sizeof message);
  for (std::size_t length = 1; length < bytes.size(); length += length < 80 ? 1 : 111) {
    if (length == sizeof message) continue;
    expect_refusal([&](const RawPeer& peer) { peer.send(std::span(bytes).first(length)); },
                   ErrorCode::protocol, {stream()});
  }
}

TEST_F(HostileWriter, WrongNumbersOfDescriptorsAreRefusedAndClosed) {
  const std::size_t before = reel_test::open_descriptors();
  for (const std::size_t count : {0U, 1U, 2U, 4U, 16U, 100U}) {
    const std::vector<int> fds(count, 0);
    expect_refusal([&](const RawPeer& peer) { peer.send_as(fake().welcome(), fds); }, ErrorCode::protocol,
                   {stream()});
  }
  EXPECT_EQ(reel_test::open_descriptors(), before);
}

TEST_F(HostileWriter, DescriptorsThatAreNoMemoryAreRefused) {
  for (const char* path : {"/dev/null", "/dev/zero", "/", "/proc/self/exe"}) {
    const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
    const int fds[] = {fd.get(), fd.get(), fd.get()};
    expect_refusal([&](const RawPeer& peer) { peer.send_as(fake().welcome(), fds); }, ErrorCode::protocol,
                   {stream()});
  }
}

TEST_F(HostileWriter, ARefusalOfTheWrongFormIsStillOne) {
  reel::RefusedMessage refused;
  refused.code = 9999;
  refused.text_bytes = 0xFFFFFFFF;
  refused.text.fill('x');
  expect_refusal([&](const RawPeer& peer) { peer.send_as(refused); }, ErrorCode::refused, {stream(), "xxx"});
}

TEST_F(HostileWriter, AReaderThatIsOpenReportsFailedWithAMessage) {
  FrameReader reader(stream());
  reel::Frame frame;
  EXPECT_EQ(reader.try_read(frame), ReadStatus::empty);
  fake().header().magic.store(1, std::memory_order_relaxed);
  const FakeWriter writer(runtime_dir().path(), stream(),
                          [&](const RawPeer& peer) { fake().send(peer, fake().welcome()); });
  EXPECT_EQ(reader.read(frame, 30'000), ReadStatus::failed);
  EXPECT_THAT(reader.error(), ::testing::HasSubstr("magic"));
  EXPECT_EQ(reader.try_read(frame), ReadStatus::failed);
}

/// Everything that changes while a stream runs, as noise, with the checksums right: what gets through must at
/// least be in bounds.
TEST_F(HostileWriter, NoiseInARunningStreamNeverCrashesItsReader) {
  std::mt19937_64 random(99);
  const auto number = [&]() -> std::uint64_t {
    switch (random() % 4) {
      case 0: return random() % 8;
      case 1: return random() % 100'000;
      case 2: return ~std::uint64_t{0} - random() % 3;
      default: return random();
    }
  };
  const FakeWriter writer(runtime_dir().path(), stream(),
                          [&](const RawPeer& peer) { fake().send(peer, fake().welcome()); });
  for (const reel::Policy policy : {reel::Policy::lossless, reel::Policy::queue, reel::Policy::latest}) {
    FrameReader reader(stream(), {.policy = policy, .deliver_corrupted = true});
    reel::Frame frame;
    std::uint64_t sequence = 1;
    for (int round = 0; round < 3000; ++round) {
      reel::SlotRecord record = fake().record(++sequence);
      auto* words = reinterpret_cast<std::uint64_t*>(&record);
      for (int changes = 0; changes < 3; ++changes) words[1 + random() % (sizeof record / 8 - 1)] = number();
      if (random() % 8 == 0) record.sequence = number();
      auto* formats = reinterpret_cast<std::uint64_t*>(fake().memory.view().formats);
      for (int changes = 0; changes < 3; ++changes) formats[random() % 32] = number();
      reel::FormatRecord& format = fake().memory.view().formats[random() % 2];
      format.checksum = reel::checksum(std::as_bytes(std::span(&format, 1)).subspan(sizeof format.checksum));
      fake().publish(static_cast<std::uint32_t>(random() % 4), record);
      fake().header().oldest.store(number(), std::memory_order_relaxed);
      fake().header().last_key.store(number(), std::memory_order_relaxed);
      if (random() % 16 == 0) fake().header().head.store(number(), std::memory_order_seq_cst);
      if (random() % 64 == 0)
        fake().memory.view().ring[random() % 4].store(number(), std::memory_order_relaxed);
      const ReadStatus status = reader.try_read(frame);
      if (status == ReadStatus::frame) {
        std::uint64_t sum = 0;
        for (const std::byte byte : frame.data()) sum += std::to_integer<std::uint64_t>(byte);
        for (std::uint32_t plane = 0; plane < frame.plane_count(); ++plane) {
          const reel::ConstPlaneView view = frame.plane(plane);
          if (view.rows != 0 && view.row_bytes != 0) {
            sum += std::to_integer<std::uint64_t>(
                view.data[(view.rows - 1) * std::size_t{view.stride_bytes} + view.row_bytes - 1]);
          }
        }
        for (const auto& entry : frame.side_data()) sum += entry.data.size();
        EXPECT_NE(sum, ~std::uint64_t{0});
      }
      if (status == ReadStatus::failed || status == ReadStatus::ended) break;
    }
    fake().header().head.store(reel::ring_word(0, 0xFFFF), std::memory_order_seq_cst);
  }
}

TEST_F(HostileWriter, NewMemoryOfTheWrongFormFails) {
  const FakeWriter writer(runtime_dir().path(), stream(), [&](const RawPeer& peer) {
    fake().header().moved.store(1, std::memory_order_seq_cst);  // before anybody sleeps: nobody would ring
    fake().send(peer, fake().welcome());
    reel::WelcomeMessage moved = fake().welcome();
    moved.header.type = MessageType::moved;
    moved.control_bytes = 12;
    fake().send(peer, moved);
  });
  FrameReader reader(stream());
  reel::Frame frame;
  EXPECT_EQ(reader.read(frame, 30'000), ReadStatus::failed);
  EXPECT_THAT(reader.error(), ::testing::HasSubstr("12"));
}

TEST_F(HostileWriter, AWriterThatNeverAnswersIsATimeoutThatSaysSo) {
  const FakeWriter writer(runtime_dir().path(), stream(), [](const RawPeer&) {});
  FrameReader reader(stream());
  reel::Frame frame;
  EXPECT_EQ(reader.try_read(frame), ReadStatus::empty) << "with reconnect it goes on trying";
  reel_test::expect_error(ErrorCode::timeout, {stream(), "did not answer"},
                          [&] { FrameReader impatient(stream(), {.reconnect = false}); });
}

}  // namespace
