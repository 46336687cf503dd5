// One stream in several containers: a writer and readers whose users, PIDs, files, IPC and network are their
// own, and who share one directory.
#include "stream_roles.hpp"

#include <csignal>
#include <filesystem>

#include <reel_test/container.hpp>
#include <reel_test/expect_error.hpp>
#include <reel_test/process_facts.hpp>
#include <reel_test/run_reel.hpp>
#include <reel_test/scratch_dir.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>
#include <reel/channel/observer.hpp>
#include <reel/channel/runtime_dir.hpp>

namespace {

using reel_test::ChildProcess;
using reel_test::ContainerOptions;
using reel_test::SharedDirectory;
using reel_test::wait_until;
using stream_test::ask;
using stream_test::count_of;
using stream_test::field;
using stream_test::status_of;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

constexpr const char* kElsewhere = "of another PID namespace";

class Containers : public stream_test::EveryMemory {
 protected:
  void SetUp() override {
    // Where user namespaces are not to be had (in a chroot, say) root goes without.
    options_.user_namespace = reel_test::missing_containers().empty();
    const std::string missing = options_.user_namespace ? "" : reel_test::missing_containers(options_);
    if (!missing.empty()) GTEST_SKIP() << missing;
  }
  void TearDown() override {
    if (!IsSkipped()) (void)reel::sweep_runtime_dir(runtime_dir().path());
    StreamTest::TearDown();
  }

  [[nodiscard]] ContainerOptions container(const std::string& host, const std::string& place = "/run/streams",
                                           bool read_only = false) {
    ContainerOptions options = options_;
    options.host = host;
    options.shared = {{runtime_dir().path(), place, read_only}};
    return options;
  }
  [[nodiscard]] ChildProcess start(const char* role, const char* ready, const ContainerOptions& options,
                                   stream_test::Settings settings) {
    settings.insert(settings.begin(), stream());
    ChildProcess child = reel_test::start_contained_role(
        options, role, settings, {{"REEL_RUNTIME_DIR", options.shared.front().place}});
    EXPECT_EQ(child.wait_for_line(ready), ready) << child.errors();
    return child;
  }
  [[nodiscard]] ChildProcess writer_in(const ContainerOptions& options, stream_test::Settings more = {}) {
    more.insert(more.end(), {memory(), "slots=16"});
    return start("writer", "writing", options, more);
  }
  [[nodiscard]] ChildProcess reader_in(const ContainerOptions& options, const stream_test::Settings& more) {
    return start("reader", "reading", options, more);
  }
  /// What `reel` says in a container of its own.
  [[nodiscard]] reel_test::ReelRun reel_in(const std::string& host,
                                           const ChildProcess::Arguments& arguments) {
    ChildProcess tool = reel_test::start_contained(container(host), reel_test::reel_command(), arguments,
                                                   {{"REEL_RUNTIME_DIR", "/run/streams"}});
    const int status = tool.wait().code;
    return {status, tool.output(), tool.errors()};
  }
  void kill_contained(ChildProcess& child) {
    ASSERT_EQ(::kill(reel_test::container_pid(child), SIGKILL), 0);
    EXPECT_EQ(child.wait().code, 128 + SIGKILL);
  }
  [[nodiscard]] bool readers_are(std::size_t count) {
    return wait_until([&] { return reel::StreamObserver(stream()).status().readers.size() == count; });
  }
  void expect_taken(ChildProcess& reader, std::uint64_t frames) {
    const std::string answer = ask(reader, "take " + std::to_string(frames), "took");
    EXPECT_EQ(count_of(answer), frames) << answer << reader.errors();
    EXPECT_EQ(field(answer, "bad") + field(answer, "gaps"), 0U) << answer;
  }

 private:
  ContainerOptions options_;
};
INSTANTIATE_TEST_SUITE_P(EveryKind, Containers, ::testing::ValuesIn(reel::segment_kinds()),
                         stream_test::memory_name);

TEST_P(Containers, ThatShareADirectoryShareItsStreamsByWhateverPath) {
  ChildProcess writer = writer_in(container("camera"));
  ChildProcess reader = reader_in(container("viewer", "/srv/of/the/camera"), {"policy=lossless"});
  ASSERT_TRUE(reader.send("take 301"));
  ASSERT_EQ(count_of(ask(writer, "write 300", "wrote")), 300U);
  ASSERT_EQ(ask(writer, "end", "ended"), "ended");
  const std::string answer = reader.wait_for_line("took");
  EXPECT_EQ(count_of(answer), 300U) << answer << reader.errors();
  EXPECT_EQ(status_of(answer), "ended");
  EXPECT_EQ(field(answer, "bad") + field(answer, "gaps"), 0U) << answer;
  EXPECT_EQ(field(ask(reader, "stats", "stats"), "verified"), 300U);
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
}

TEST_P(Containers, OfReadersNeedTheDirectoryReadOnly) {
  ChildProcess writer = writer_in(container("camera"));
  ChildProcess reader = reader_in(container("viewer", "/run/streams", true), {"policy=lossless"});
  ASSERT_EQ(count_of(ask(writer, "write 5", "wrote")), 5U);
  expect_taken(reader, 5);
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
}

TEST_P(Containers, AReaderIsToldThatTheWritersWasKilledAndGoesOnWithTheNext) {
  auto writer = std::make_unique<ChildProcess>(writer_in(container("camera")));
  ChildProcess leaves = reader_in(container("recorder"), {"policy=lossless", "reconnect=0"});
  ChildProcess stays = reader_in(container("viewer"), {"policy=lossless"});
  ASSERT_EQ(count_of(ask(*writer, "write 10", "wrote")), 10U);
  kill_contained(*writer);
  const std::string answer = ask(leaves, "take 100", "took");
  EXPECT_EQ(count_of(answer), 10U) << "what was published is read";
  EXPECT_EQ(status_of(answer), "closed") << answer;
  expect_taken(stays, 10);
  ASSERT_TRUE(stays.send("take 5"));
  writer = std::make_unique<ChildProcess>(writer_in(container("camera")));
  ASSERT_TRUE(readers_are(1));
  ASSERT_EQ(count_of(ask(*writer, "write 5", "wrote")), 5U);
  const std::string after = stays.wait_for_line("took");
  EXPECT_EQ(count_of(after), 5U) << after;
  EXPECT_EQ(field(after, "bad"), 0U) << after;
  EXPECT_EQ(field(after, "discont"), 1U) << after;
  writer->close_input();
  EXPECT_TRUE(writer->wait().ok());
}

TEST_P(Containers, AReadersSlotsComeBackWhenItsContainerIsKilled) {
  ChildProcess writer = writer_in(container("camera"));
  ChildProcess reader = reader_in(container("viewer"), {"policy=lossless", "pins=4"});
  ASSERT_EQ(count_of(ask(writer, "write 4", "wrote")), 4U);
  ASSERT_EQ(count_of(ask(reader, "hold 4", "holding")), 4U);
  ASSERT_TRUE(writer.send("write 100"));  // more than there are slots: it has to wait for the reader
  ASSERT_TRUE(wait_until([&] { return reel::StreamObserver(stream()).status().waits > 0; }));
  kill_contained(reader);
  EXPECT_EQ(status_of(writer.wait_for_line("wrote")), "ok");
  ASSERT_TRUE(readers_are(0));
  ChildProcess next = reader_in(container("viewer"), {"policy=lossless"});
  ASSERT_EQ(count_of(ask(writer, "write 5", "wrote")), 109U);
  expect_taken(next, 5);
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
}

TEST_P(Containers, ANameInUseIsRefusedWithWhereItsWriterIs) {
  ChildProcess writer = writer_in(container("camera"));
  ChildProcess second = reel_test::start_contained_role(container("other"), "writer", {stream()},
                                                        {{"REEL_RUNTIME_DIR", "/run/streams"}});
  EXPECT_FALSE(second.wait().ok());
  EXPECT_THAT(second.errors(), HasSubstr("process 1 of another PID namespace (host \"camera\")"));
  // From outside the kernel tells its number there.
  reel_test::expect_error(reel::ErrorCode::in_use,
                          {"by process " + std::to_string(reel_test::container_pid(writer)) + " "},
                          [&] { reel::FrameWriter third(stream()); });
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
}

TEST_P(Containers, OfToolsSeeStreamsAndTakeNoProcessForAnother) {
  ChildProcess writer = writer_in(container("camera"));
  ChildProcess reader = reader_in(container("viewer"), {"policy=lossless", "name=viewer"});
  const reel::StreamStatus outside = reel::StreamObserver(stream()).status();
  EXPECT_EQ(outside.writer_pid, static_cast<std::uint32_t>(reel_test::container_pid(writer)));
  EXPECT_FALSE(outside.same_pid_namespace);

  const auto listed = reel_in("tools", {"ls", "--json"});
  ASSERT_EQ(listed.status, 0) << listed.errors;
  const nlohmann::json inside = listed.json().at(0);
  EXPECT_EQ(inside.at("writer_pid"), 0);
  EXPECT_EQ(inside.at("same_pid_namespace"), false);
  EXPECT_EQ(inside.at("readers").at(0).at("pid"), 0) << "the writer does not see it";
  EXPECT_EQ(inside.at("readers").at(0).at("name"), "viewer");
  const auto table = reel_in("tools", {"ls"});
  EXPECT_THAT(table.output, ContainsRegex(stream() + " +- "));
  EXPECT_THAT(table.output, ContainsRegex(" viewer +- "));
  EXPECT_THAT(table.output, HasSubstr("-: a process of another PID namespace"));
  EXPECT_THAT(reel_in("tools", {"inspect", stream()}).output, HasSubstr(kElsewhere));
  EXPECT_EQ(reel_in("tools", {"doctor"}).status, 0) << reel_in("tools", {"doctor"}).output;
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
}

/// Each has a directory of its own, both call it by one path, and their writers are process 1.
TEST_P(Containers, ThatShareNamedMemoryAloneDoNotMeet) {
  const reel_test::ScratchDir other, memory;
  ASSERT_EQ(::chmod(other.path().c_str(), 0700), 0);
  ContainerOptions first = container("first"), second = container("second");
  first.memory = second.memory = memory.path();
  second.shared = {{other.path(), "/run/streams"}};
  ChildProcess writer = writer_in(first);
  ChildProcess namesake = writer_in(second);
  ChildProcess reader = reader_in(first, {"policy=lossless"});
  ASSERT_EQ(count_of(ask(namesake, "write 3", "wrote")), 3U) << namesake.errors();
  ASSERT_EQ(count_of(ask(writer, "write 5", "wrote")), 5U);
  expect_taken(reader, 5);
  for (ChildProcess* child : {&writer, &namesake}) {
    child->close_input();
    EXPECT_TRUE(child->wait().ok()) << child->errors();
  }
  EXPECT_TRUE(std::filesystem::is_empty(memory.path()));
}

/// Containers whose users are others outside: what "rootless" ones are to each other.
class ContainersOfUsers : public Containers {
 protected:
  static constexpr uid_t kAlice = 61'234, kBob = 61'235;

  void SetUp() override {
    Containers::SetUp();
    if (IsSkipped()) return;
    if (::geteuid() != 0) GTEST_SKIP() << "takes root, to become several users";
    ContainerOptions options;
    options.root_user = kAlice;
    const std::string missing = reel_test::missing_containers(options);
    if (!missing.empty()) GTEST_SKIP() << missing;
    ASSERT_EQ(::chown(runtime_dir().path().c_str(), kAlice, kAlice), 0);
  }
  void TearDown() override {
    ASSERT_EQ(::chown(runtime_dir().path().c_str(), ::geteuid(), ::getegid()), 0);
    Containers::TearDown();
  }
  [[nodiscard]] ContainerOptions of(uid_t user, const std::string& host) {
    ContainerOptions options = container(host);
    options.root_user = user;
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(EveryKind, ContainersOfUsers, ::testing::ValuesIn(reel::segment_kinds()),
                         stream_test::memory_name);

TEST_P(ContainersOfUsers, OfOneUserShareStreamsAsThatUsersProcessesDo) {
  ChildProcess writer = writer_in(of(kAlice, "camera"));
  ChildProcess reader = reader_in(of(kAlice, "viewer"), {"policy=lossless"});
  ASSERT_EQ(count_of(ask(writer, "write 5", "wrote")), 5U);
  expect_taken(reader, 5);
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
}

TEST_P(ContainersOfUsers, ThatAreNotMappedAlikeShareStreamsThatEveryoneMayRead) {
  ChildProcess writer = writer_in(of(kAlice, "camera"), {"everyone=1"});
  ChildProcess reader = reader_in(of(kBob, "viewer"), {"policy=lossless"});
  ASSERT_EQ(count_of(ask(writer, "write 5", "wrote")), 5U);
  expect_taken(reader, 5);
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
}

TEST_P(ContainersOfUsers, WhoseUsersAreNotMappedAlikeSayWhatTheyTakeEachOtherFor) {
  constexpr const char* kUnmapped =
      "user 65534 (which here is any user that this user namespace does not map)";
  ChildProcess writer = writer_in(of(kAlice, "camera"), {"users=1"});
  ChildProcess bob = reel_test::start_contained_role(of(kBob, "viewer"), "reader", {stream()},
                                                     {{"REEL_RUNTIME_DIR", "/run/streams"}});
  EXPECT_FALSE(bob.wait().ok());
  EXPECT_THAT(bob.errors(), HasSubstr(std::string(kUnmapped) + " may not read"));
  ASSERT_EQ(::chmod(runtime_dir().path().c_str(), 0700), 0);
  ChildProcess again = reel_test::start_contained_role(of(kBob, "viewer"), "reader", {stream()},
                                                       {{"REEL_RUNTIME_DIR", "/run/streams"}});
  EXPECT_FALSE(again.wait().ok());
  EXPECT_THAT(again.errors(), HasSubstr(std::string("it is of ") + kUnmapped));
  writer.close_input();
  EXPECT_TRUE(writer.wait().ok());
}

}  // namespace
