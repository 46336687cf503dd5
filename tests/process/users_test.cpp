// Streams between users: who gets in by the writer's lists, whose directory a reader trusts, and what each is
// told who does not get in.
#include "fake_writer.hpp"
#include "stream_roles.hpp"

#include <filesystem>

#include <reel_test/expect_error.hpp>
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
using stream_test::ask;
using stream_test::count_of;
using stream_test::start_reader;
using stream_test::start_writer;
using ::testing::HasSubstr;

constexpr uid_t kAlice = 61'234;  // writes
constexpr uid_t kBob = 61'235;
constexpr uid_t kCarol = 61'236;
constexpr gid_t kWatchers = 61'237;

std::string user(uid_t id) {
  return "user=" + std::to_string(id);
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

/// The runtime directory is Alice's.
class Users : public stream_test::EveryMemory {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "takes root, to become several users";
    if (GetParam() == reel::SegmentKind::posix && (mode_of("/dev/shm") & 0002) == 0)
      GTEST_SKIP() << "/dev/shm is root's alone here: no other user can have posix memory";
    give_to(kAlice);
  }
  void TearDown() override {
    give_to(::geteuid());
    StreamTest::TearDown();
  }
  void give_to(uid_t owner) { ASSERT_EQ(::chown(runtime_dir().path().c_str(), owner, owner), 0); }
  [[nodiscard]] ChildProcess alice(stream_test::Settings settings) {
    settings.insert(settings.end(), {user(kAlice), memory(), "bytes=4096"});
    return start_writer(stream(), settings);
  }
  void expect_served(ChildProcess& writer, ChildProcess& reader) {
    EXPECT_EQ(count_of(ask(writer, "write 3", "wrote")), 3U) << writer.errors();
    const std::string answer = ask(reader, "take 3", "took");
    EXPECT_EQ(count_of(answer), 3U) << answer << reader.errors();
    EXPECT_EQ(stream_test::field(answer, "bad"), 0U) << answer;
    EXPECT_EQ(stream_test::field(ask(reader, "stats", "stats"), "verified"), 3U);
  }
  /// A reader with these settings ends with a message that contains all of `words`.
  void expect_refused(stream_test::Settings settings, std::initializer_list<std::string> words) {
    settings.insert(settings.begin(), stream());
    ChildProcess reader = ChildProcess::role("reader", settings);
    EXPECT_FALSE(reader.wait().ok());
    for (const std::string& word : words) EXPECT_THAT(reader.errors(), HasSubstr(word));
  }
  void close(ChildProcess& writer) {
    writer.close_input();
    EXPECT_TRUE(writer.wait().ok()) << writer.errors();
  }
};
INSTANTIATE_TEST_SUITE_P(EveryKind, Users, ::testing::ValuesIn(reel::segment_kinds()),
                         stream_test::memory_name);

TEST_P(Users, AUserThatTheWriterListsReadsItsStreamAndNoOtherDoes) {
  ChildProcess writer = alice({"users=" + std::to_string(kBob)});
  ChildProcess bob = start_reader(stream(), {user(kBob), "policy=lossless"});
  expect_served(writer, bob);
  expect_refused({user(kCarol)}, {"user " + std::to_string(kCarol) + " may not read", stream()});
  close(writer);
}

TEST_P(Users, AMemberOfAGroupThatTheWriterListsReadsItsStreamAndNoOtherDoes) {
  const std::string watchers = std::to_string(kWatchers);
  ChildProcess writer = alice({"groups=" + watchers, "in_groups=" + watchers});
  EXPECT_EQ(mode_of(runtime_dir().path() + "/" + stream() + ".sock"), 0660U) << "the group's alone";
  ChildProcess bob = start_reader(stream(), {user(kBob), "in_groups=" + watchers, "policy=lossless"});
  expect_served(writer, bob);
  expect_refused({user(kCarol)}, {stream() + ".sock\" is closed to user " + std::to_string(kCarol)});
  close(writer);
}

TEST_P(Users, AGroupThatTheWriterIsNotInIsLetInByTheHandshakeAlone) {
  const std::string watchers = std::to_string(kWatchers);
  ChildProcess writer = alice({"groups=" + watchers});
  ChildProcess bob = start_reader(stream(), {user(kBob), "in_groups=" + watchers, "policy=lossless"});
  expect_served(writer, bob);
  expect_refused({user(kCarol)}, {"user " + std::to_string(kCarol) + " may not read"});
  close(writer);
}

TEST_P(Users, WithoutAListADirectoryStaysClosedAndSaysSo) {
  ChildProcess writer = alice({});
  EXPECT_EQ(mode_of(runtime_dir().path()), 0700U);
  expect_refused({user(kBob)}, {runtime_dir().path(), "is closed to user " + std::to_string(kBob),
                                "of user " + std::to_string(kAlice), "0700"});
  close(writer);
}

TEST_P(Users, RootSeesAndReadsTheStreamsOfTheDirectoryItNames) {
  ChildProcess writer = alice({});
  EXPECT_THAT(reel::list_streams(), ::testing::ElementsAre(stream()));
  EXPECT_EQ(reel::StreamObserver(stream()).status().writer_pid, static_cast<std::uint32_t>(writer.pid()));
  reel::FrameReader reader(stream());
  EXPECT_EQ(count_of(ask(writer, "write 1", "wrote")), 1U);
  reel::Frame frame;
  EXPECT_EQ(reader.read(frame, 30'000), reel::ReadStatus::frame);
  close(writer);
}

class Directories : public stream_test::StreamTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "takes root, to give directories away";
  }
};

TEST_F(Directories, OfAnotherUserAreOnlyTrustedWhereOthersCouldNotHavePutThem) {
  const std::string path = runtime_dir().path() + "/reel";
  ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  ASSERT_EQ(::chown(path.c_str(), kAlice, kAlice), 0);
  ::setenv("REEL_RUNTIME_DIR", path.c_str(), 1);
  EXPECT_EQ(reel::runtime_dirs().at(0).state, reel::RuntimeDir::State::usable);
  EXPECT_EQ(reel::runtime_dirs().at(0).owner, kAlice);
  const auto refused = [&](std::initializer_list<std::string> words) {
    const reel::RuntimeDir directory = reel::runtime_dirs().at(0);
    EXPECT_EQ(directory.state, reel::RuntimeDir::State::refused);
    for (const std::string& word : words) EXPECT_THAT(directory.objection, HasSubstr(word));
    expect_error(ErrorCode::no_permission, {stream(), directory.objection},
                 [&] { reel::FrameReader reader(stream()); });
  };
  ASSERT_EQ(::chmod(runtime_dir().path().c_str(), 0777), 0);
  refused({path, std::to_string(kAlice), "\"" + runtime_dir().path() + "\" above it", "0777"});
  ASSERT_EQ(::chmod(runtime_dir().path().c_str(), 01777), 0);
  EXPECT_EQ(reel::runtime_dirs().at(0).state, reel::RuntimeDir::State::usable) << "as in /tmp";
  ASSERT_EQ(::chown(runtime_dir().path().c_str(), kBob, kBob), 0);
  refused({"above it belongs to user " + std::to_string(kBob)});
  ASSERT_EQ(::chown(runtime_dir().path().c_str(), 0, 0), 0);

  const std::string link = runtime_dir().path() + "/link";
  std::filesystem::create_directory_symlink(runtime_dir().path(), link);
  ::setenv("REEL_RUNTIME_DIR", (link + "/reel").c_str(), 1);
  refused({"\"" + link + "\" above it is a link"});

  ::unsetenv("REEL_RUNTIME_DIR");
  ::setenv("XDG_RUNTIME_DIR", runtime_dir().path().c_str(), 1);
  EXPECT_EQ(reel::runtime_dirs().at(0).path, path);
  EXPECT_EQ(reel::runtime_dirs().at(0).state, reel::RuntimeDir::State::refused) << "nobody named it";
  ::unsetenv("XDG_RUNTIME_DIR");
  ::setenv("REEL_RUNTIME_DIR", runtime_dir().path().c_str(), 1);
  std::filesystem::remove(link);
  std::filesystem::remove(path);
}

TEST_F(Directories, AreServedByTheirOwnersAlone) {
  const stream_test::FakeStream fake(stream());
  ASSERT_EQ(::chown(runtime_dir().path().c_str(), kAlice, kAlice), 0);
  {
    const stream_test::FakeWriter intruder(
        runtime_dir().path(), stream(),
        [&](const stream_test::RawPeer& peer) { fake.send(peer, fake.welcome()); });
    expect_error(ErrorCode::no_permission, {stream(), "user 0 listens", std::to_string(kAlice)},
                 [&] { reel::FrameReader reader(stream()); });
    EXPECT_THAT(reel::list_streams(), ::testing::IsEmpty());
  }
  ASSERT_EQ(::chown(runtime_dir().path().c_str(), 0, 0), 0);
}

TEST_F(Directories, ThatThoseAllowedCannotReachAreRefusedToTheWriterWithTheFix) {
  const std::string path = runtime_dir().path() + "/reel";
  ::setenv("REEL_RUNTIME_DIR", path.c_str(), 1);
  const reel::WriterOptions options{.allowed_users = {kBob}};
  expect_error(ErrorCode::no_permission,
               {stream(), "user " + std::to_string(kBob), "\"" + runtime_dir().path() + "\" (mode 0700)",
                path, "chmod o+x", "REEL_RUNTIME_DIR"},
               [&] { reel::FrameWriter writer(stream(), options); });
  ASSERT_EQ(::chmod(runtime_dir().path().c_str(), 0711), 0);
  {
    reel::FrameWriter writer(stream(), reel::Format(), options);
    EXPECT_EQ(mode_of(path), 0711U);
    EXPECT_EQ(mode_of(path + "/" + stream() + ".sock"), 0666U);
  }
  reel::FrameWriter writer(stream(), reel::Format());
  EXPECT_EQ(mode_of(path + "/" + stream() + ".sock"), 0600U) << "of a stream that lists nobody";
  { const reel::FrameWriter gone = std::move(writer); }
  std::filesystem::remove(path);
  ::setenv("REEL_RUNTIME_DIR", runtime_dir().path().c_str(), 1);
}

}  // namespace
