// Writers that die, end, or come back: what their readers see, what is left behind, who may take over.
#include "stream_roles.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

#include <reel_test/expect_error.hpp>
#include <reel_test/process_facts.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>
#include <reel/channel/observer.hpp>
#include <reel/channel/runtime_dir.hpp>

namespace {

using reel::ErrorCode;
using reel_test::ChildProcess;
using reel_test::expect_error;
using reel_test::wait_until;
using stream_test::ask;
using stream_test::count_of;
using stream_test::field;
using stream_test::start_reader;
using stream_test::start_writer;
using stream_test::status_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LifeAndDeath : public stream_test::EveryMemory {
 protected:
  void kill_now(ChildProcess& child) {
    child.signal(SIGKILL);
    EXPECT_EQ(child.wait().signal, SIGKILL);
  }
  [[nodiscard]] bool readers_are(std::size_t count) {
    return wait_until([&] { return reel::StreamObserver(stream()).status().readers.size() == count; });
  }
};
INSTANTIATE_TEST_SUITE_P(EveryKind, LifeAndDeath, ::testing::ValuesIn(reel::segment_kinds()),
                         stream_test::memory_name);

TEST_P(LifeAndDeath, WhatWasPublishedBeforeAKillIsReadThenClosed) {
  ChildProcess writer = start_writer(stream(), {memory(), "slots=16"});
  ChildProcess lossless = start_reader(stream(), {"policy=lossless", "reconnect=0"});
  ChildProcess queue = start_reader(stream(), {"policy=queue", "reconnect=0"});
  ASSERT_EQ(count_of(ask(writer, "write 10", "wrote")), 10U);
  ASSERT_EQ(count_of(ask(lossless, "take 3", "took")), 3U);
  kill_now(writer);
  for (auto [child, left] : {std::pair(&lossless, 7U), std::pair(&queue, 10U)}) {
    const std::string answer = ask(*child, "take 100", "took");
    EXPECT_EQ(count_of(answer), left) << answer;
    EXPECT_EQ(status_of(answer), "closed") << answer;
    EXPECT_EQ(field(answer, "last"), 10U) << answer;
    EXPECT_EQ(field(answer, "gaps") + field(answer, "bad"), 0U) << answer;
  }
  EXPECT_EQ(reel::sweep_runtime_dir(runtime_dir().path()), std::vector<std::string>{stream()});
}

TEST_P(LifeAndDeath, AWriterKilledMidStreamLeavesNothingHalfWritten) {
  for (int life = 0; life < 8; ++life) {
    ChildProcess writer = start_writer(stream(), {memory(), "slots=12"});
    ChildProcess lossless = start_reader(stream(), {"policy=lossless", "reconnect=0"});
    ChildProcess queue = start_reader(stream(), {"policy=queue", "reconnect=0"});
    ASSERT_TRUE(lossless.send("take 100000000"));
    ASSERT_TRUE(queue.send("take 100000000"));
    ASSERT_EQ(ask(writer, "run", "running"), "running");
    {
      reel::FrameReader passer_by(stream(), {.policy = reel::Policy::latest});
      reel::Frame frame;
      for (int i = 0; i < 20 + life; ++i) ASSERT_EQ(passer_by.read(frame, 30'000), reel::ReadStatus::frame);
    }
    kill_now(writer);
    std::uint64_t last = 0;
    for (ChildProcess* child : {&lossless, &queue}) {
      const std::string answer = child->wait_for_line("took");
      EXPECT_EQ(status_of(answer), "closed") << answer << child->errors();
      EXPECT_EQ(field(answer, "bad"), 0U) << answer;
      if (child == &lossless) {
        EXPECT_EQ(field(answer, "gaps"), 0U) << answer;
        last = field(answer, "last");
      }
      EXPECT_EQ(field(answer, "last"), last) << "all of them see the same end: " << answer;
      EXPECT_EQ(field(ask(*child, "stats", "stats"), "corrupted"), 0U);
    }
  }
  EXPECT_EQ(reel::sweep_runtime_dir(runtime_dir().path()).size(), 1U);
}

TEST_P(LifeAndDeath, ReadersReconnectWithDiscontToANewEpoch) {
  auto writer = std::make_unique<ChildProcess>(start_writer(stream(), {memory()}));
  ChildProcess reader = start_reader(stream(), {"policy=lossless"});
  ASSERT_EQ(count_of(ask(*writer, "write 5", "wrote")), 5U);
  ASSERT_EQ(count_of(ask(reader, "take 5", "took")), 5U);
  const std::string first_epoch = reel::StreamObserver(stream()).status().epoch;
  kill_now(*writer);
  writer = std::make_unique<ChildProcess>(start_writer(stream(), {memory()}));
  EXPECT_NE(reel::StreamObserver(stream()).status().epoch, first_epoch);
  ASSERT_TRUE(reader.send("take 5"));
  ASSERT_TRUE(readers_are(1));
  ASSERT_EQ(count_of(ask(*writer, "write 5", "wrote")), 5U);
  const std::string answer = reader.wait_for_line("took");
  EXPECT_EQ(count_of(answer), 5U) << answer;
  EXPECT_EQ(field(answer, "first"), 1U) << answer;
  EXPECT_EQ(field(answer, "discont"), 1U) << answer;
  EXPECT_EQ(field(answer, "bad"), 0U) << answer;
  EXPECT_EQ(field(ask(reader, "stats", "stats"), "connects"), 2U);
  writer->close_input();
  EXPECT_TRUE(writer->wait().ok());
}

TEST_P(LifeAndDeath, ANameInUseIsRefusedWithThePidOfItsWriter) {
  ChildProcess writer = start_writer(stream(), {memory()});
  expect_error(ErrorCode::in_use, {stream(), std::to_string(writer.pid())},
               [&] { reel::FrameWriter second(stream()); });
  ASSERT_EQ(count_of(ask(writer, "write 3", "wrote")), 3U);
  EXPECT_EQ(reel::StreamObserver(stream()).status().writer_pid, static_cast<std::uint32_t>(writer.pid()));
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
  EXPECT_NO_THROW(reel::FrameWriter third(stream()));
}

TEST_P(LifeAndDeath, ADeadWritersNameIsTakenOverWithAllItLeft) {
  {
    ChildProcess writer = start_writer(stream(), {memory()});
    ASSERT_EQ(count_of(ask(writer, "write 3", "wrote")), 3U);
    kill_now(writer);
  }
  EXPECT_THAT(runtime_dir().entries(), ::testing::Not(IsEmpty())) << "the dead cannot tidy up";
  const std::vector<std::string> left = reel_test::shm_entries("." + stream() + ".");
  ChildProcess writer = start_writer(stream(), {memory()});
  for (const std::string& name : left) EXPECT_THAT(reel_test::shm_entries(name), IsEmpty());
  ChildProcess reader = start_reader(stream(), {"policy=lossless"});
  ASSERT_EQ(count_of(ask(writer, "write 3", "wrote")), 3U);
  EXPECT_EQ(count_of(ask(reader, "take 3", "took")), 3U);
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
}

TEST_P(LifeAndDeath, MemoryOfADirectoryThatWasMadeAnewIsSweptUnlessItsWriterLives) {
  ChildProcess dead = start_writer(stream(), {memory()});
  ChildProcess living = start_writer(stream() + "-living", {memory()});
  const auto memory_of = [&](const std::string& name) { return reel_test::shm_entries("." + name + ".W"); };
  const std::vector<std::string> of_the_living = memory_of(stream() + "-living");
  kill_now(dead);
  const std::string path = runtime_dir().path(), before = path + ".before";
  std::filesystem::rename(path, before);
  std::filesystem::create_directory(path);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  EXPECT_THAT(reel::sweep_runtime_dir(path), IsEmpty()) << "there are no streams in it";
  EXPECT_THAT(memory_of(stream()), IsEmpty());
  EXPECT_EQ(memory_of(stream() + "-living"), of_the_living);
  EXPECT_EQ(of_the_living.empty(), GetParam() != reel::SegmentKind::posix);
  living.close_input();
  EXPECT_TRUE(living.wait().ok());
  std::filesystem::remove_all(before);
}

TEST_P(LifeAndDeath, AReaderOfAStaleSocketIsToldNobodyWrites) {
  ChildProcess writer = start_writer(stream(), {memory()});
  kill_now(writer);
  expect_error(ErrorCode::not_found, {stream(), runtime_dir().path()},
               [&] { reel::FrameReader reader(stream(), {.reconnect = false}); });
  EXPECT_THAT(reel::list_streams(), IsEmpty());
  EXPECT_EQ(reel::sweep_runtime_dir(runtime_dir().path()), std::vector<std::string>{stream()});
  EXPECT_THAT(reel::sweep_runtime_dir(runtime_dir().path()), IsEmpty());
}

TEST_P(LifeAndDeath, EndOfStreamReachesEveryPolicyWhateverReconnectSays) {
  ChildProcess writer = start_writer(stream(), {memory(), "slots=16"});
  ChildProcess lossless = start_reader(stream(), {"policy=lossless"});
  ChildProcess queue = start_reader(stream(), {"policy=queue"});
  ChildProcess latest = start_reader(stream(), {"policy=latest"});
  ASSERT_EQ(count_of(ask(writer, "write 6", "wrote")), 6U);
  ASSERT_EQ(ask(writer, "end", "ended"), "ended");
  for (auto [child, owed] : {std::pair(&lossless, 6U), std::pair(&queue, 6U), std::pair(&latest, 1U)}) {
    const std::string answer = ask(*child, "take 100", "took");
    EXPECT_EQ(count_of(answer), owed) << answer;
    EXPECT_EQ(status_of(answer), "ended") << answer;
    EXPECT_EQ(field(answer, "last"), 6U) << answer;
    EXPECT_EQ(status_of(ask(*child, "take 1", "took")), "ended") << "and stays ended";
  }
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
  EXPECT_EQ(status_of(ask(lossless, "take 1", "took")), "ended");
}

TEST_P(LifeAndDeath, AReaderWaitingForItsFirstFrameSeesTheEndToo) {
  ChildProcess writer = start_writer(stream(), {memory()});
  ChildProcess reader = start_reader(stream(), {"policy=latest"});
  ASSERT_TRUE(reader.send("take 1"));
  ASSERT_TRUE(wait_until([&] { return reel_test::process_state(reader.pid()) == 'S'; }));
  ASSERT_EQ(ask(writer, "end", "ended"), "ended");
  EXPECT_EQ(status_of(reader.wait_for_line("took")), "ended");
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
}

TEST_P(LifeAndDeath, AWriterThatClosesWithoutAnEndIsWaitedFor) {
  auto writer = std::make_unique<ChildProcess>(start_writer(stream(), {memory()}));
  ChildProcess stays = start_reader(stream(), {"policy=queue"});
  ChildProcess leaves = start_reader(stream(), {"policy=queue", "reconnect=0"});
  ASSERT_EQ(count_of(ask(*writer, "write 1", "wrote")), 1U);
  writer->close_input();
  EXPECT_TRUE(writer->wait().ok());
  EXPECT_EQ(status_of(ask(leaves, "take 5", "took")), "closed");
  EXPECT_EQ(count_of(ask(stays, "take 1", "took")), 1U);
  ASSERT_TRUE(stays.send("take 2"));
  writer = std::make_unique<ChildProcess>(start_writer(stream(), {memory()}));
  ASSERT_TRUE(readers_are(1));
  ASSERT_EQ(count_of(ask(*writer, "write 2", "wrote")), 2U);
  EXPECT_EQ(count_of(stays.wait_for_line("took")), 2U);
  writer->close_input();
  EXPECT_TRUE(writer->wait().ok());
}

TEST_P(LifeAndDeath, FramesOfADeadWriterStayReadable) {
  ChildProcess writer = start_writer(stream(), {memory()});
  ChildProcess reader = start_reader(stream(), {"policy=queue", "pins=3", "reconnect=0"});
  ASSERT_EQ(count_of(ask(writer, "write 2", "wrote")), 2U);
  ASSERT_EQ(count_of(ask(reader, "hold 2", "holding")), 2U);
  kill_now(writer);
  EXPECT_EQ(status_of(ask(reader, "take 1", "took")), "closed");
  EXPECT_EQ(ask(reader, "check", "held"), "held frames whole");
  EXPECT_EQ(ask(reader, "release", "released"), "released");
  EXPECT_EQ(reel::sweep_runtime_dir(runtime_dir().path()).size(), 1U);
}

/// A hundred lives of the writer: the reader's descriptors, threads and mappings are those of the tenth.
TEST_P(LifeAndDeath, AHundredReconnectsLeaveTheReaderAsItWas) {
  ChildProcess reader = start_reader(stream(), {"policy=lossless"});
  std::size_t descriptors = 0;
  std::size_t threads = 0;
  std::size_t mapped = 0;
  [[maybe_unused]] std::size_t resident = 0;
  for (int life = 1; life <= 100; ++life) {
    reel::FrameWriter writer(stream(), reel::Format(),
                             {.slots = 8, .slot_bytes = 50'000, .memory = GetParam()});
    ASSERT_TRUE(reader.send("take 1"));
    ASSERT_TRUE(wait_until([&] { return writer.readers().size() == 1; })) << life;
    reel::FrameInfo info;
    info.offset = 1;
    ASSERT_EQ(writer.write(stream_test::pattern(50'000, 1), info), reel::WriteStatus::ok);
    const std::string answer = reader.wait_for_line("took");
    ASSERT_EQ(count_of(answer), 1U) << life << answer << reader.errors();
    ASSERT_EQ(field(answer, "bad"), 0U);
    if (life != 10 && life != 100) continue;
    if (life == 10) {
      descriptors = reel_test::open_descriptors(reader.pid());
      threads = reel_test::thread_count(reader.pid());
      mapped = reel_test::mappings_of("reel", reader.pid()).size();
      resident = reel_test::resident_bytes(reader.pid());
    } else {
      EXPECT_EQ(reel_test::open_descriptors(reader.pid()), descriptors);
      EXPECT_EQ(reel_test::thread_count(reader.pid()), threads);
      EXPECT_EQ(reel_test::mappings_of("reel", reader.pid()).size(), mapped);
#if !defined(__SANITIZE_ADDRESS__)  // which keeps what was freed, to catch its use
      EXPECT_LT(reel_test::resident_bytes(reader.pid()), resident + (4u << 20));
#endif
    }
  }
  EXPECT_EQ(field(ask(reader, "stats", "stats"), "connects"), 100U);
}

TEST_P(LifeAndDeath, AHundredReadersLeaveTheWriterAsItWas) {
  ChildProcess writer = start_writer(stream(), {memory()});
  ChildProcess stays = start_reader(stream(), {"policy=lossless"});
  std::size_t descriptors = 0;
  std::size_t mapped = 0;
  for (int life = 1; life <= 100; ++life) {
    {
      reel::FrameReader reader(stream(), {.name = "guest", .policy = reel::Policy::lossless});
      ASSERT_TRUE(readers_are(2)) << life;
      ASSERT_EQ(count_of(ask(writer, "write 1", "wrote")), static_cast<std::uint64_t>(life));
      reel::Frame frame;
      ASSERT_EQ(reader.read(frame, 30'000), reel::ReadStatus::frame);
    }
    ASSERT_EQ(count_of(ask(stays, "take 1", "took")), 1U);
    ASSERT_TRUE(readers_are(1)) << life;
    if (life == 10) {
      descriptors = reel_test::open_descriptors(writer.pid());
      mapped = reel_test::mappings_of("reel", writer.pid()).size();
    }
  }
  EXPECT_TRUE(wait_until([&] { return reel_test::open_descriptors(writer.pid()) <= descriptors; }))
      << reel_test::open_descriptors(writer.pid()) << " descriptors, " << descriptors << " after ten";
  EXPECT_LE(reel_test::mappings_of("reel", writer.pid()).size(), mapped);
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
}

class RuntimeDirectory : public stream_test::StreamTest {};

TEST_F(RuntimeDirectory, OthersMayNotWriteToIt) {
  ASSERT_EQ(::chmod(runtime_dir().path().c_str(), 0770), 0);
  expect_error(ErrorCode::no_permission, {runtime_dir().path(), "0770", "0700"},
               [&] { reel::FrameWriter writer(stream()); });
  ASSERT_EQ(::chmod(runtime_dir().path().c_str(), 0702), 0);
  expect_error(ErrorCode::no_permission, {runtime_dir().path(), "0702"},
               [&] { reel::FrameWriter writer(stream()); });
  ASSERT_EQ(::chmod(runtime_dir().path().c_str(), 0700), 0);
  EXPECT_NO_THROW(reel::FrameWriter writer(stream()));
}

TEST_F(RuntimeDirectory, OfAnotherOwnerIsRefusedWithBothUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a directory away";
  ASSERT_EQ(::chown(runtime_dir().path().c_str(), 12345, static_cast<gid_t>(-1)), 0);
  expect_error(ErrorCode::no_permission, {runtime_dir().path(), "12345", "0"},
               [&] { reel::FrameWriter writer(stream()); });
  ASSERT_EQ(::chown(runtime_dir().path().c_str(), 0, static_cast<gid_t>(-1)), 0);
}

TEST_F(RuntimeDirectory, ThatIsALinkOrAFileIsRefused) {
  const std::string link = runtime_dir().path() + "/link";
  std::filesystem::create_directory_symlink(runtime_dir().path(), link);
  const std::string file = runtime_dir().path() + "/file";
  std::ofstream(file) << "x";
  for (const std::string& path : {link, file}) {
    ::setenv("REEL_RUNTIME_DIR", path.c_str(), 1);
    EXPECT_THROW(reel::FrameWriter writer(stream()), reel::Error) << path;
    std::filesystem::remove(path);
  }
  ::setenv("REEL_RUNTIME_DIR", runtime_dir().path().c_str(), 1);
}

TEST_F(RuntimeDirectory, ASocketThatNobodyServesIsTakenOver) {
  // Left by a writer whose lock file is gone too.
  std::ofstream(runtime_dir().path() + "/" + stream() + ".sock") << "";
  reel::FrameWriter writer(stream(), reel::Format());
  reel::FrameReader reader(stream());
  EXPECT_TRUE(reader.connected());
}

}  // namespace
