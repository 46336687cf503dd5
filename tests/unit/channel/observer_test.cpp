// What a stream shows from outside, and the rules of the runtime directory it lies in.
#include "channel_fixture.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include <reel/channel/observer.hpp>
#include <reel/channel/runtime_dir.hpp>

namespace {

using channel_test::all_are;
using channel_test::bytes;
using channel_test::kWatchdogMs;
using channel_test::nv12;
using reel::ErrorCode;
using reel::Frame;
using reel::FrameReader;
using reel::FrameWriter;
using reel::Loan;
using reel::ReadStatus;
using reel::WriteStatus;
using reel_test::expect_error;

class Observer : public channel_test::ChannelTest {};

TEST_F(Observer, SeesStatusSlotsRecordsAndTheNewestFrame) {
  FrameWriter writer(stream(), nv12(16, 16), {.slots = 6});
  writer.set_segment({.start_ns = 42});
  writer.set_tags("title=x");
  FrameReader reader(stream(), {.name = "app/y"});
  reel::StreamObserver observer(stream());
  reel::FrameCopy copy;
  EXPECT_FALSE(observer.newest(copy)) << "none yet";
  for (int i = 1; i <= 2; ++i) ASSERT_EQ(writer.write(bytes(384, i)), WriteStatus::ok);
  const reel::StreamStatus status = observer.status();
  EXPECT_EQ(status.name, stream());
  EXPECT_EQ(status.epoch.size(), 32U);
  EXPECT_EQ(status.slots, 6U);
  EXPECT_EQ(status.head, 3U);
  EXPECT_EQ(status.oldest, 1U);
  EXPECT_EQ(status.memory, "memfd");
  EXPECT_FALSE(status.ended);
  EXPECT_EQ(status.caps, nv12(16, 16).caps());
  ASSERT_EQ(status.readers.size(), 1U);
  EXPECT_EQ(status.readers[0].name, "app/y");
  const reel::StreamRecords records = observer.records();
  ASSERT_EQ(records.formats.size(), 1U);
  ASSERT_EQ(records.segments.size(), 1U);
  EXPECT_EQ(records.segments[0].start_ns, 42);
  EXPECT_THAT(records.tags, ::testing::ElementsAre("title=x"));
  const auto slots = observer.slots();
  EXPECT_EQ(slots.size(), 6U);
  EXPECT_EQ(std::count_if(slots.begin(), slots.end(), [](const auto& slot) { return slot.verdict == "ok"; }),
            2);
  ASSERT_TRUE(observer.newest(copy));
  EXPECT_EQ(copy.sequence, 2U);
  EXPECT_TRUE(copy.intact);
  EXPECT_TRUE(all_are(copy.payload, 2));
  writer.end();
  EXPECT_TRUE(observer.status().ended);
}

TEST_F(Observer, GoesWithTheStreamToLargerMemory) {
  FrameWriter writer(stream(), reel::Format(), {.slot_bytes = 4096});
  reel::StreamObserver before(stream());
  const std::string first = before.status().epoch;
  EXPECT_EQ(before.status().epochs, 1U);
  ASSERT_EQ(writer.write(bytes(100'000, 1)), WriteStatus::ok);
  reel::StreamObserver after(stream());
  EXPECT_NE(after.status().epoch, first);
  EXPECT_EQ(before.status().epoch, after.status().epoch);
  EXPECT_EQ(before.status().epochs, 2U);
}

TEST_F(Observer, IsRefusedWhereThereAreSixteenAlready) {
  FrameWriter writer(stream(), reel::Format());
  std::vector<reel::StreamObserver> observers;
  for (int i = 0; i < 16; ++i) observers.emplace_back(stream());
  expect_error(ErrorCode::refused, {stream(), "16 observers"},
               [&] { reel::StreamObserver one_more(stream()); });
  EXPECT_NO_THROW(FrameReader reader(stream())) << "readers are counted apart";
  observers.pop_back();
  EXPECT_TRUE(reel_test::wait_until([&] {
    try {
      const reel::StreamObserver again(stream());
      return true;
    } catch (const reel::Error&) {
      return false;
    }
  }));
}

TEST_F(Observer, OfNoStreamIsToldWhereWasLooked) {
  expect_error(ErrorCode::not_found, {stream(), runtime_dir().path()},
               [&] { reel::StreamObserver observer(stream()); });
}

TEST_F(Observer, OfAWriterThatLeftIsToldSo) {
  FrameWriter writer(stream(), reel::Format());
  reel::StreamObserver observer(stream());
  { const FrameWriter gone = std::move(writer); }
  expect_error(ErrorCode::closed, {stream()}, [&] { (void)observer.status(); });
}

TEST_F(Observer, ListsTheStreamsThatHaveAWriter) {
  FrameWriter second("b-stream", reel::Format());
  {
    FrameWriter first("a-stream", reel::Format());
    EXPECT_THAT(reel::list_streams(), ::testing::ElementsAre("a-stream", "b-stream"));
  }
  EXPECT_THAT(reel::list_streams(), ::testing::ElementsAre("b-stream"));
}

TEST_F(Observer, FollowsAStreamThatMovesToOtherMemory) {
  FrameWriter writer(stream(), reel::Format(), {.slot_bytes = 4096});
  FrameReader reader(stream());
  reel::StreamObserver observer(stream());
  ASSERT_EQ(writer.write(bytes(100, 1)), WriteStatus::ok);
  const std::string first = observer.status().epoch;
  ASSERT_EQ(writer.write(bytes(50'000, 2)), WriteStatus::ok);
  reel::FrameCopy copy;
  ASSERT_TRUE(observer.newest(copy));
  EXPECT_EQ(copy.sequence, 2U);
  EXPECT_EQ(copy.payload.size(), 50'000U);
  const reel::StreamStatus status = observer.status();
  EXPECT_NE(status.epoch, first);
  EXPECT_EQ(status.head, 3U);
  EXPECT_GE(status.slot_bytes, 50'000U);
  EXPECT_EQ(status.readers.size(), 1U);
  const auto slots = observer.slots();
  EXPECT_EQ(std::count_if(slots.begin(), slots.end(), [](const auto& slot) { return slot.state == "ready"; }),
            1);
}

TEST_F(Observer, MeasuresTheRateAndSeesItFallWhenNoMoreFramesCome) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 8});
  reel::StreamObserver observer(stream());
  for (int i = 0; i < 6; ++i) {
    ASSERT_EQ(writer.write(bytes(100, i)), WriteStatus::ok);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const double measured = observer.status().fps;
  EXPECT_GT(measured, 0);
  EXPECT_LE(measured, 200);
  EXPECT_TRUE(reel_test::wait_until([&] { return observer.status().fps < measured / 4; })) << measured;
}

// What its one lossless reader is done with is taken back at once, and the slot lent again.
TEST_F(Observer, MeasuresTheRateWhereTwoSlotsGoRound) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 8});
  FrameReader reader(stream(), {.policy = reel::Policy::lossless});
  reel::StreamObserver observer(stream());
  Loan loan;
  ASSERT_EQ(writer.acquire(loan, 100), WriteStatus::ok);
  for (int i = 0; i < 6; ++i) {
    ASSERT_EQ(writer.publish(std::move(loan), {}), WriteStatus::ok);
    Frame frame;
    ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
    frame.release();
    ASSERT_EQ(writer.acquire(loan, 100), WriteStatus::ok);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const double measured = observer.status().fps;
  EXPECT_GT(measured, 0);
  EXPECT_LE(measured, 200);
}

class RuntimeDir : public channel_test::ChannelTest {};

TEST_F(RuntimeDir, NamesOfStreamsFollowTheRule) {
  for (const char* good : {"a", "0", "cam-1.main_x"}) EXPECT_TRUE(reel::valid_stream_name(good)) << good;
  EXPECT_TRUE(reel::valid_stream_name(std::string(63, 'z')));
  for (const char* bad : {"", ".a", "_a", "-a", "A", "a/b", "a b", "..", "\xC3\xA4"})
    EXPECT_FALSE(reel::valid_stream_name(bad)) << bad;
  EXPECT_FALSE(reel::valid_stream_name(std::string(64, 'z')));
}

TEST_F(RuntimeDir, OfALongPathServesStreamsAllTheSame) {
  const std::string parent = runtime_dir().path();
  const std::string path = parent + "/" + std::string(120, 'd');
  ASSERT_EQ(::setenv("REEL_RUNTIME_DIR", path.c_str(), 1), 0);
  EXPECT_EQ(reel::writable_runtime_dir(), path) << "made when missing";
  {
    const std::string name(63, 'n');
    FrameWriter writer(name, reel::Format());
    FrameReader reader(name, {.reconnect = false});
    ASSERT_EQ(writer.write(bytes(10, 1)), WriteStatus::ok);
    reel::Frame frame;
    EXPECT_EQ(reader.read(frame, kWatchdogMs), reel::ReadStatus::frame);
    EXPECT_THAT(reel::list_streams(), ::testing::ElementsAre(name));
  }
  std::filesystem::remove_all(path);
  ASSERT_EQ(::setenv("REEL_RUNTIME_DIR", parent.c_str(), 1), 0);
}

TEST_F(RuntimeDir, IsSweptOfTheDeadAndOfNothingElse) {
  FrameWriter alive(stream(), reel::Format());
  for (const char* left : {"/dead.lock", "/dead.sock"}) std::ofstream(runtime_dir().path() + left) << "";
  EXPECT_THAT(reel::sweep_runtime_dir(runtime_dir().path()), ::testing::ElementsAre("dead"));
  EXPECT_FALSE(std::filesystem::exists(runtime_dir().path() + "/dead.sock"));
  EXPECT_NO_THROW(FrameReader reader(stream(), {.reconnect = false}));
  EXPECT_TRUE(reel::sweep_runtime_dir(runtime_dir().path()).empty());
}

TEST_F(RuntimeDir, IsMissingUntilSomebodyWrites) {
  const std::string parent = runtime_dir().path();
  ASSERT_EQ(::setenv("REEL_RUNTIME_DIR", (parent + "/later").c_str(), 1), 0);
  const std::vector<reel::RuntimeDir> directories = reel::runtime_dirs();
  ASSERT_EQ(directories.size(), 1U);
  EXPECT_EQ(directories[0].state, reel::RuntimeDir::State::missing);
  EXPECT_EQ(directories[0].objection, "");
  EXPECT_THAT(reel::where_looked(), ::testing::HasSubstr(parent + "/later (which does not exist)"));
  expect_error(ErrorCode::not_found, {stream(), parent + "/later"},
               [&] { FrameReader reader(stream(), {.reconnect = false}); });
  EXPECT_NO_THROW(FrameReader reader(stream())) << "it waits for the first writer";
  ASSERT_EQ(::setenv("REEL_RUNTIME_DIR", parent.c_str(), 1), 0);
}

TEST_F(RuntimeDir, ThatIsRelativeIsRefusedToEverybody) {
  const std::string before = runtime_dir().path();
  ASSERT_EQ(::setenv("REEL_RUNTIME_DIR", "some/where", 1), 0);
  const auto expect_refusal = [](const auto& call) {
    expect_error(ErrorCode::bad_argument, {"REEL_RUNTIME_DIR", "some/where", "relative", "from /"}, call);
  };
  expect_refusal([] { (void)reel::writable_runtime_dir(); });
  expect_refusal([] { (void)reel::runtime_dirs(); });
  expect_refusal([&] { FrameWriter writer(stream(), reel::Format()); });
  expect_refusal([&] { FrameReader reader(stream()); });
  EXPECT_FALSE(std::filesystem::exists("some"));
  ASSERT_EQ(::setenv("REEL_RUNTIME_DIR", before.c_str(), 1), 0);
}

TEST_F(RuntimeDir, IsTheSameHoweverItIsSpelled) {
  const std::string path = runtime_dir().path();
  const std::string name = std::filesystem::path(path).filename();
  for (const std::string& spelling :
       {path + "/", path + "//", path + "/.", path + "/../" + name, "/" + path}) {
    ASSERT_EQ(::setenv("REEL_RUNTIME_DIR", spelling.c_str(), 1), 0);
    EXPECT_EQ(reel::writable_runtime_dir(), path) << spelling;
    EXPECT_EQ(reel::runtime_dirs().at(0).path, path) << spelling;
  }
  ASSERT_EQ(::setenv("REEL_RUNTIME_DIR", path.c_str(), 1), 0);
}

TEST_F(RuntimeDir, ThatOthersMayWriteToIsRefusedToReadersWithTheModeAndTheFix) {
  const std::string path = runtime_dir().path();
  ASSERT_EQ(::chmod(path.c_str(), 0720), 0);
  const std::vector<reel::RuntimeDir> directories = reel::runtime_dirs();
  ASSERT_EQ(directories.size(), 1U);
  EXPECT_EQ(directories[0].state, reel::RuntimeDir::State::refused);
  for (const std::string& word : {path, std::string("0720"), std::string("set REEL_RUNTIME_DIR")})
    EXPECT_THAT(directories[0].objection, ::testing::HasSubstr(word));
  EXPECT_EQ(reel::where_looked(), "nowhere");
  expect_error(ErrorCode::no_permission, {stream(), path, "0720"}, [&] { FrameReader reader(stream()); });
  expect_error(ErrorCode::no_permission, {stream(), path, "0720"},
               [&] { reel::StreamObserver observer(stream()); });
  ASSERT_EQ(::chmod(path.c_str(), 0700), 0);
}

TEST_F(RuntimeDir, TellsWhichStreamsThereAreWhenOneIsNotFound) {
  FrameWriter camera("camera", reel::Format());
  expect_error(ErrorCode::not_found, {"camara", "did you mean 'camera'?"},
               [&] { FrameReader reader("camara", {.reconnect = false}); });
  expect_error(ErrorCode::not_found, {"else", "there is camera"},
               [&] { reel::StreamObserver observer("else"); });
}

TEST_F(Observer, OfANameThatIsTakenAndNotWrittenYetIsToldByWhichProcess) {
  const FrameWriter writer(stream());
  expect_error(ErrorCode::not_found,
               {"process " + std::to_string(::getpid()) + " has taken its name and written nothing yet"},
               [&] { reel::StreamObserver observer(stream()); });
}

}  // namespace
