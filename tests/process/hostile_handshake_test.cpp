// Messages that no honest reader sends: each is refused or ignored, costs the stream nothing, and leaves
// nothing open.
#include "raw_peer.hpp"
#include "stream_roles.hpp"

#include <chrono>
#include <cstring>
#include <deque>
#include <limits>
#include <random>
#include <thread>

#include <reel_test/process_facts.hpp>
#include <sys/socket.h>

#include <reel/channel/frame_writer.hpp>

namespace {

using reel::HelloMessage;
using reel::MessageType;
using reel::Policy;
using stream_test::ask;
using stream_test::field;
using stream_test::RawPeer;
using stream_test::RawReader;
using ::testing::HasSubstr;

/// A writer in this process, and an honest lossless reader in another that must get every frame, whatever
/// else goes on.
class HostileHandshake : public stream_test::StreamTest {
 protected:
  HostileHandshake()
      : StreamTest(4000),
        writer_(stream(), reel::Format(), {.slots = 16}),
        honest_(stream_test::start_reader(stream(), {"policy=lossless"})) {
    write(10);
  }

  void write(int count) {
    for (int i = 0; i < count; ++i) {
      StreamTest::write(writer_, 1);
      if (written() - taken_ >= 8) take_all();
    }
  }
  void take_all() {
    const std::string answer = ask(honest_, "take " + std::to_string(written() - taken_), "took");
    EXPECT_EQ(stream_test::count_of(answer), written() - taken_) << answer;
    EXPECT_EQ(field(answer, "bad") + field(answer, "gaps") + field(answer, "discont"), 0U) << answer;
    taken_ = written();
  }
  void TearDown() override {
    write(20);
    take_all();
    EXPECT_EQ(field(ask(honest_, "stats", "stats"), "verified"), written());
    EXPECT_TRUE(reel_test::wait_until([&] { return writer_.readers().size() == 1; }));
    StreamTest::TearDown();
  }

  [[nodiscard]] RawPeer connect() { return RawPeer(runtime_dir().path(), stream()); }
  [[nodiscard]] RawReader join(Policy policy = Policy::queue) {
    return RawReader(runtime_dir().path(), stream(), stream_test::hello(policy));
  }
  [[nodiscard]] reel::FrameWriter& writer() { return writer_; }
  /// Sends, and expects a refusal with `word`.
  void expect_refused(const HelloMessage& message, const std::string& word) {
    const RawPeer peer = connect();
    peer.send_as(message);
    EXPECT_THAT(stream_test::refusal_of(peer.receive()), HasSubstr(word));
    EXPECT_TRUE(peer.hung_up());
  }

 private:
  reel::FrameWriter writer_;
  reel_test::ChildProcess honest_;
  std::uint64_t taken_ = 0;
};

TEST_F(HostileHandshake, HelloOfEveryOtherLengthIsRefused) {
  const HelloMessage good = stream_test::hello(Policy::queue);
  std::vector<std::byte> bytes(1500);
  std::memcpy(bytes.data(), &good, sizeof good);
  for (std::size_t length = 0; length <= bytes.size(); length += length < 128 ? 1 : 97) {
    if (length == sizeof good) continue;
    const RawPeer peer = connect();
    peer.send(std::span(bytes).first(length));
    EXPECT_TRUE(peer.hung_up()) << length << " bytes";
  }
}

TEST_F(HostileHandshake, FirstMessageOfEveryOtherTypeIsRefused) {
  for (const std::uint32_t type : {0U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 10U, 11U, 1000U, ~0U}) {
    HelloMessage message = stream_test::hello(Policy::queue);
    message.header.type = static_cast<MessageType>(type);
    expect_refused(message, "type " + std::to_string(type));
  }
}

TEST_F(HostileHandshake, AReaderThatAsksForNoPinsIsToldSo) {
  expect_refused(stream_test::hello(Policy::queue, 0), "max_pins is 0");
}

TEST_F(HostileHandshake, AnotherMajorVersionIsRefusedWithBothNumbers) {
  for (const std::uint16_t major : {0, 2, 65535}) {
    HelloMessage message = stream_test::hello(Policy::queue);
    message.header.major = major;
    message.header.minor = 7;
    const RawPeer peer = connect();
    peer.send_as(message);
    const auto answer = peer.receive();
    const std::string text = stream_test::refusal_of(answer);
    EXPECT_THAT(text, HasSubstr(std::to_string(major) + ".7"));
    EXPECT_THAT(text, HasSubstr(std::to_string(reel::kHandshakeMajor) + "."));
    EXPECT_TRUE(peer.hung_up());
  }
}

TEST_F(HostileHandshake, ALaterMinorVersionIsWelcome) {
  HelloMessage message = stream_test::hello(Policy::queue);
  message.header.minor = 99;
  const RawReader reader(runtime_dir().path(), stream(), message);
  EXPECT_EQ(reader.welcome.page_bytes, sizeof(reel::ReaderPage));
}

TEST_F(HostileHandshake, AnotherMagicIsDisconnected) {
  HelloMessage message = stream_test::hello(Policy::queue);
  message.header.magic ^= 1;
  const RawPeer peer = connect();
  peer.send_as(message);
  EXPECT_TRUE(peer.hung_up());
}

TEST_F(HostileHandshake, DescriptorsThatNobodyAskedForAreClosed) {
  const std::size_t before = reel_test::open_descriptors();
  for (const std::size_t count : {1U, 2U, 3U, 4U, 16U, 17U, 200U}) {
    const std::vector<int> fds(count, 0);
    const RawPeer peer = connect();
    peer.send_as(stream_test::hello(Policy::queue), fds);
    EXPECT_TRUE(peer.hung_up()) << count << " descriptors";
  }
  EXPECT_TRUE(reel_test::wait_until([&] { return reel_test::open_descriptors() <= before; }))
      << reel_test::open_descriptors() << " descriptors, before " << before;
}

TEST_F(HostileHandshake, EveryFieldOfHelloIsChecked) {
  for (const std::uint32_t bad : {0U, 4U, 77U, ~0U}) {
    HelloMessage message = stream_test::hello(Policy::queue);
    message.policy = bad;
    expect_refused(message, "policy " + std::to_string(bad));
  }
  for (const std::uint32_t bad : {0U, 5U, ~0U}) {
    HelloMessage message = stream_test::hello(Policy::queue);
    message.start = bad;
    expect_refused(message, "start " + std::to_string(bad));
  }
  for (const std::uint32_t bad : {0U, 3U, ~0U}) {
    HelloMessage message = stream_test::hello(Policy::queue);
    message.role = static_cast<reel::PeerRole>(bad);
    expect_refused(message, "role " + std::to_string(bad));
  }
  for (const std::uint32_t bad : {16U, 257U, 0x7fffffffU, ~0U}) {
    expect_refused(stream_test::hello(Policy::queue, bad), "slots");
  }
  for (const std::string name : {"a b", "line\nfeed", "\x1b[31m", "\xff\xfe"}) {
    expect_refused(stream_test::hello(Policy::queue, 1, name), "name");
  }
  HelloMessage unterminated = stream_test::hello(Policy::queue);
  unterminated.name.fill('x');
  expect_refused(unterminated, "name");
}

TEST_F(HostileHandshake, RandomHellosNeverHarm) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 500; ++round) {
    HelloMessage message =
        stream_test::hello(static_cast<Policy>(random() % 5), static_cast<std::uint32_t>(random() % 6));
    auto* bytes = reinterpret_cast<std::uint8_t*>(&message);
    for (int flips = 0; flips < 3; ++flips)
      bytes[random() % sizeof message] = static_cast<std::uint8_t>(random());
    const RawPeer peer = connect();
    peer.send_as(message);
    ASSERT_TRUE(peer.receive().has_value() || peer.hung_up());
  }
  EXPECT_TRUE(reel_test::wait_until([&] { return writer().readers().size() == 1; }));
}

TEST_F(HostileHandshake, ConnectionsThatSayNothingAreBounded) {
  const std::size_t before = reel_test::open_descriptors();
  std::deque<RawPeer> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(connect());
  const RawReader late = join();  // still let in
  EXPECT_EQ(late.welcome.page_bytes, sizeof(reel::ReaderPage));
  EXPECT_TRUE(silent.front().hung_up()) << "the oldest goes";
  // Our ends are in this process too.
  EXPECT_LT(reel_test::open_descriptors(), before + 2 * silent.size());
}

TEST_F(HostileHandshake, AnAdmittedReaderMaySendWhatALaterVersionWould) {
  const RawReader reader = join();
  for (const std::uint32_t type : {0U, 11U, 12U, 4711U, ~0U}) {
    reel::PlainMessage message{};
    message.header.type = static_cast<MessageType>(type);
    EXPECT_TRUE(reader.peer.send_as(message));
  }
  write(4);
  EXPECT_EQ(writer().readers().size(), 2U) << "unknown messages are ignored";
}

TEST_F(HostileHandshake, AnAdmittedReaderThatBreaksTheFormIsDisconnected) {
  struct Breach {
    const char* what;
    std::vector<std::byte> bytes;
    std::size_t descriptors;
  };
  const auto plain = [](MessageType type, std::size_t extra) {
    reel::PlainMessage message{};
    message.header.type = type;
    std::vector<std::byte> bytes(sizeof message + extra);
    std::memcpy(bytes.data(), &message, sizeof message);
    return bytes;
  };
  const std::vector<Breach> breaches = {
      {"nothing at all", {}, 0},
      {"two bytes", std::vector<std::byte>(2), 0},
      {"noise", std::vector<std::byte>(500, std::byte{0xA5}), 0},
      {"more than any message", std::vector<std::byte>(5000), 0},
      {"a long leave", plain(MessageType::leave, 1), 0},
      {"a leave with a descriptor", plain(MessageType::leave, 0), 1},
      {"a long key frame request", plain(MessageType::key_frame_request, 8), 0},
      {"a status request with descriptors", plain(MessageType::status_request, 0), 3},
      {"a doorbell with a descriptor", std::vector<std::byte>(1), 1},
  };
  for (const Breach& breach : breaches) {
    const RawReader reader = join();
    reader.peer.send(breach.bytes, std::vector<int>(breach.descriptors, 0));
    EXPECT_TRUE(reader.peer.hung_up()) << breach.what;
    EXPECT_TRUE(reel_test::wait_until([&] { return writer().readers().size() == 1; })) << breach.what;
  }
}

TEST_F(HostileHandshake, AFloodOfDoorbellsStopsNobody) {
  const RawReader reader = join();
  reel_test::ChildProcess flooder = reel_test::ChildProcess::call([&] {
    const std::byte one{1};
    for (;;) (void)::send(reader.peer.socket(), &one, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    return 0;
  });
  write(200);
}

TEST_F(HostileHandshake, AnObserverThatAsksAndNeverReadsIsDropped) {
  const std::size_t before = reel_test::open_descriptors();
  {
    const RawPeer peer = connect();
    HelloMessage message = stream_test::hello(Policy::queue);
    message.role = reel::PeerRole::observer;
    peer.send_as(message);
    reel::PlainMessage request{};
    request.header.type = MessageType::status_request;
    bool open = true;
    for (int i = 0; i < 200'000 && open; ++i) open = peer.send_as(request);
    EXPECT_FALSE(open) << "what is queued for it must be bounded";
  }
  write(4);
  EXPECT_TRUE(reel_test::wait_until([&] { return reel_test::open_descriptors() <= before; }));
}

class Parked : public stream_test::StreamTest {
 protected:
  /// The first answer to a reader of that minor version for whom there are too few slots.
  [[nodiscard]] MessageType first_answer_to(std::uint16_t minor) {
    reel::FrameWriter writer(stream(), reel::Format(), {.slots = 4, .grow_for_readers = true});
    StreamTest::write(writer, 1);
    const RawPeer peer(runtime_dir().path(), stream());
    HelloMessage greeting = stream_test::hello(Policy::queue, 20);
    greeting.header.minor = minor;
    peer.send_as(greeting);
    std::jthread writing([&](const std::stop_token& done) {
      while (!done.stop_requested()) {
        StreamTest::write(writer, 1);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
    const auto answer = peer.receive();
    reel::MessageHeader header;
    if (answer && answer->bytes.size() >= sizeof header)
      std::memcpy(&header, answer->bytes.data(), sizeof header);
    return header.type;
  }
};

TEST_F(Parked, AReaderThatKnowsTheMessageHearsOfItAndAnOlderOneIsWelcomedAlone) {
  EXPECT_EQ(first_answer_to(1), MessageType::parked);
  EXPECT_EQ(first_answer_to(0), MessageType::welcome);
}

}  // namespace
