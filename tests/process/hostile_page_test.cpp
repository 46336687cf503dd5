// Readers that abuse what they were given: their page, their pins, their time. The writer and the reader next
// to them notice nothing.
#include "raw_peer.hpp"
#include "stream_roles.hpp"

#include <cerrno>
#include <csignal>
#include <random>
#include <thread>

#include <fcntl.h>
#include <reel_test/process_facts.hpp>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <reel/channel/frame_writer.hpp>

namespace {

using reel::Policy;
using reel_test::ChildProcess;
using reel_test::wait_until;
using stream_test::ask;
using stream_test::count_of;
using stream_test::field;
using stream_test::RawReader;
using stream_test::start_reader;

constexpr std::size_t kBytes = 20'000;

class HostilePage : public stream_test::EveryMemory {
 protected:
  HostilePage() : EveryMemory(kBytes) {}

  [[nodiscard]] RawReader join(Policy policy, std::uint32_t pins = 2) {
    return RawReader(runtime_dir().path(), stream(), stream_test::hello(policy, pins));
  }
  [[nodiscard]] ChildProcess start_scribbler(Policy policy) {
    ChildProcess child = ChildProcess::role(
        "scribbler", {runtime_dir().path(), stream(), std::to_string(static_cast<std::uint32_t>(policy))});
    EXPECT_EQ(child.wait_for_line("scribbling"), "scribbling") << child.errors();
    return child;
  }
};
INSTANTIATE_TEST_SUITE_P(EveryKind, HostilePage, ::testing::ValuesIn(reel::segment_kinds()),
                         stream_test::memory_name);

/// Joins and fills its page with noise until it is cut off; then joins again.
int scribble(const std::vector<std::string>& arguments) {
  std::mt19937_64 random(static_cast<std::uint64_t>(::getpid()));
  const auto policy = static_cast<Policy>(std::stoul(arguments.at(2)));
  for (bool first = true;; first = false) {
    try {
      const RawReader reader(arguments.at(0), arguments.at(1), stream_test::hello(policy));
      if (first) reel_test::say("scribbling");
      auto* words = reinterpret_cast<volatile std::uint64_t*>(reader.mapped_page->data());
      constexpr std::size_t kWords = sizeof(reel::ReaderPage) / sizeof(std::uint64_t);
      // Few bits at first, so that it lives for a while; then everything.
      for (int i = 0; i < 20'000; ++i)
        words[random() % kWords] = random() & random() & random() & random() & random();
      for (int i = 0; i < 20'000; ++i) words[random() % kWords] = random();
    } catch (const std::exception&) {
      ::usleep(1000);
    }
  }
}
const reel_test::Role kScribbler("scribbler", scribble);

TEST_P(HostilePage, AScribblerHarmsNobody) {
  reel::FrameWriter writer = make_writer();
  ChildProcess honest = start_reader(stream(), {"policy=lossless"});
  ChildProcess scribblers[] = {start_scribbler(Policy::lossless), start_scribbler(Policy::queue),
                               start_scribbler(Policy::latest)};
  constexpr std::uint64_t kFrames = 3000;
  ASSERT_TRUE(honest.send("take " + std::to_string(kFrames)));
  write(writer, kFrames);
  const std::string answer = honest.wait_for_line("took");
  EXPECT_EQ(count_of(answer), kFrames) << answer << honest.errors();
  EXPECT_EQ(field(answer, "gaps") + field(answer, "bad") + field(answer, "discont"), 0U) << answer;
  const std::string stats = ask(honest, "stats", "stats");
  EXPECT_EQ(field(stats, "verified"), kFrames) << stats;
  for (ChildProcess& scribbler : scribblers) EXPECT_TRUE(scribbler.running()) << scribbler.errors();
}

/// It looks before it takes a slot back: once all 16 have been used.
TEST_P(HostilePage, MorePinsThanGrantedIsCutOffWhenTheWriterNextLooks) {
  reel::FrameWriter writer = make_writer();
  ChildProcess honest = start_reader(stream(), {"policy=queue"});
  const RawReader hostile = join(Policy::queue);
  write(writer, 3);
  EXPECT_EQ(count_of(ask(honest, "take 3", "took")), 3U);
  hostile.page().pins[0].store(0b111, std::memory_order_seq_cst);
  write(writer, 14);
  EXPECT_TRUE(hostile.peer.hung_up());
  EXPECT_TRUE(wait_until([&] { return writer.readers().size() == 1; }));
  EXPECT_EQ(count_of(ask(honest, "take 14", "took")), 14U);
}

/// Above 64 slots a bitmap has several words: no more than granted in each of them is still more than
/// granted.
TEST_P(HostilePage, MorePinsThanGrantedOverSeveralWordsIsCutOffAtOnce) {
  reel::FrameWriter writer = make_writer({.slots = 192});
  ChildProcess honest = start_reader(stream(), {"policy=queue"});
  const RawReader within = join(Policy::queue, 3);
  const RawReader hostile = join(Policy::queue, 2);
  write(writer, 3);
  for (std::size_t word = 0; word < 3; ++word) {
    within.page().pins[word].store(1, std::memory_order_seq_cst);
    hostile.page().pins[word].store(1, std::memory_order_seq_cst);
  }
  write(writer, 200);  // more than there are free slots: the writer looks at its readers
  EXPECT_TRUE(hostile.peer.hung_up());
  EXPECT_TRUE(wait_until([&] { return writer.readers().size() == 2; }));
  write(writer, 300);
  EXPECT_EQ(writer.readers().size(), 2U) << "three pins of three are its right";
  EXPECT_EQ(field(ask(honest, "take 4", "took"), "bad"), 0U);
}

TEST_P(HostilePage, PinsOfEverySlotDoNotStopTheWriter) {
  reel::FrameWriter writer = make_writer();
  const RawReader hostile = join(Policy::lossless);
  for (auto& word : hostile.page().pins) word.store(~std::uint64_t{0}, std::memory_order_seq_cst);
  write(writer, 100);
  EXPECT_TRUE(hostile.peer.hung_up());
}

/// A cursor that moves to and fro is no progress.
TEST_P(HostilePage, ALosslessCursorThatOnlyTremblesIsDemoted) {
  reel::FrameWriter writer = make_writer({.slots = 8, .stall_timeout_ms = 200});
  const RawReader hostile = join(Policy::lossless);
  std::thread trembling([&, socket = hostile.peer.socket()] {
    while (writer.stats().demoted == 0 && writer.stats().published < 40) {
      hostile.page().cursor.store(1, std::memory_order_seq_cst);
      ::usleep(300);
      hostile.page().cursor.store(2, std::memory_order_seq_cst);
      ::usleep(300);
      const char one = 1;
      (void)::send(socket, &one, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
  });
  write(writer, 40);
  trembling.join();
  EXPECT_EQ(writer.stats().demoted, 1U);
}

TEST_P(HostilePage, ItsPageCannotBeTruncated) {
  reel::FrameWriter writer = make_writer();
  const RawReader hostile = join(Policy::lossless);
  const int page = hostile.received.fds.at(2).get();
  EXPECT_NE(::ftruncate(page, 0), 0);
  EXPECT_EQ(errno, EPERM);
  EXPECT_NE(::ftruncate(page, 1 << 20), 0);
  EXPECT_NE(::fcntl(page, F_ADD_SEALS, F_SEAL_WRITE), 0);
  write(writer, 3);
}

TEST_P(HostilePage, ControlAndPayloadCannotBeMappedWritable) {
  reel::FrameWriter writer = make_writer();
  write(writer, 3);
  const RawReader hostile = join(Policy::queue);
  for (const std::size_t which : {0U, 1U}) {
    const int fd = hostile.received.fds.at(which).get();
    EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    void* const readable = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
    ASSERT_NE(readable, MAP_FAILED);
    EXPECT_NE(::mprotect(readable, 4096, PROT_READ | PROT_WRITE), 0);
    ::munmap(readable, 4096);
    if (GetParam() != reel::SegmentKind::memfd) continue;  // named memory has no seals: its peers are trusted
    // Opened again through /proc, the descriptor is writable; the seal still holds.
    const reel::UniqueFd again(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(again);
    EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, again.get(), 0), MAP_FAILED);
    EXPECT_NE(::write(again.get(), "x", 1), 1);
    EXPECT_NE(::ftruncate(again.get(), 0), 0);
  }
}

TEST_P(HostilePage, ALosslessReaderThatIsStoppedIsDemotedAndTheOthersGoOn) {
  reel::FrameWriter writer = make_writer({.slots = 16, .stall_timeout_ms = 300});
  ChildProcess honest = start_reader(stream(), {"policy=lossless"});
  ChildProcess stopped = start_reader(stream(), {"policy=lossless"});
  stopped.signal(SIGSTOP);
  ASSERT_TRUE(wait_until([&] { return reel_test::process_state(stopped.pid()) == 'T'; }));
  ASSERT_TRUE(honest.send("take 100"));
  write(writer, 100);
  const std::string answer = honest.wait_for_line("took");
  EXPECT_EQ(count_of(answer), 100U) << answer;
  EXPECT_EQ(field(answer, "gaps"), 0U) << answer;
  EXPECT_EQ(writer.stats().demoted, 1U);

  stopped.signal(SIGCONT);
  const std::string late = ask(stopped, "take 5", "took");
  EXPECT_EQ(count_of(late), 5U) << late;
  EXPECT_GT(field(late, "missed"), 0U) << "what it lost is counted: " << late;
  EXPECT_EQ(field(late, "bad"), 0U) << late;
  EXPECT_EQ(field(late, "discont"), 1U) << "and signalled: " << late;
  EXPECT_GT(field(ask(stopped, "stats", "stats"), "lapped"), 0U);
  EXPECT_THAT(stopped.errors(), ::testing::HasSubstr("stall_timeout")) << "it is told";
}

TEST_P(HostilePage, ReadersThatAreOwedNothingNeverMakeTheWriterWait) {
  reel::FrameWriter writer = make_writer();
  ChildProcess latest = start_reader(stream(), {"policy=latest"});
  ChildProcess queue = start_reader(stream(), {"policy=queue"});
  ChildProcess holder = start_reader(stream(), {"policy=latest"});
  write(writer, 2);
  ASSERT_THAT(ask(holder, "hold 1", "holding"), ::testing::HasSubstr("holding 1"));
  for (ChildProcess* child : {&latest, &queue, &holder}) {
    child->signal(SIGSTOP);
    ASSERT_TRUE(wait_until([&] { return reel_test::process_state(child->pid()) == 'T'; }));
  }
  write(writer, 500);
  EXPECT_EQ(writer.stats().waits, 0U);
}

TEST_P(HostilePage, ALosslessReaderOfALiveWriterNeverMakesItWait) {
  reel::FrameWriter writer = make_writer({.slots = 16, .live = true, .lag_frames = 4});
  ChildProcess stopped = start_reader(stream(), {"policy=lossless"});
  stopped.signal(SIGSTOP);
  ASSERT_TRUE(wait_until([&] { return reel_test::process_state(stopped.pid()) == 'T'; }));
  write(writer, 200);
  EXPECT_EQ(writer.stats().waits, 0U);
  stopped.signal(SIGCONT);
  const std::string answer = ask(stopped, "take 4", "took");
  EXPECT_EQ(count_of(answer), 4U) << answer;
  EXPECT_GT(field(answer, "missed"), 0U) << answer;
  EXPECT_EQ(field(answer, "discont"), 1U) << "a counted and signalled gap: " << answer;
}

TEST_P(HostilePage, AReaderKilledWithPinsGivesThemBack) {
  reel::FrameWriter writer = make_writer({.slots = 8});
  for (int life = 0; life < 5; ++life) {
    ChildProcess doomed = start_reader(stream(), {"policy=lossless", "pins=4"});
    write(writer, 5);
    ASSERT_THAT(ask(doomed, "hold 3", "holding"), ::testing::HasSubstr("holding 3"));
    EXPECT_EQ(writer.readers().at(0).pinned, 3U);
    doomed.signal(SIGKILL);
    (void)doomed.wait();
    write(writer, 50);  // more than there are slots: it would wait for ever
    EXPECT_TRUE(wait_until([&] { return writer.readers().empty(); }));
  }
}

TEST_P(HostilePage, AReaderThatNeverReadsItsSocketIsWokenForNothing) {
  reel::FrameWriter writer = make_writer();
  ChildProcess honest = start_reader(stream(), {"policy=lossless"});
  const RawReader deaf = join(Policy::queue);
  ASSERT_TRUE(honest.send("take 2000"));
  for (std::uint64_t i = 0; i < 2000; ++i) {
    deaf.page().ticket.store(reel::ticket_word(i, reel::WakeKind::socket), std::memory_order_seq_cst);
    write(writer, 1);
  }
  const std::string answer = honest.wait_for_line("took");
  EXPECT_EQ(count_of(answer), 2000U) << answer;
  EXPECT_EQ(writer.readers().size(), 2U) << "a full socket is no offence";
}

}  // namespace
