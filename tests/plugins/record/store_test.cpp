// The directory of recordings: what it is opened for, what becomes of files there, and who may write them.
#include <filesystem>

#include <sys/mount.h>
#include <sys/stat.h>

#include <reel_test/child_process.hpp>
#include <reel_test/expect_error.hpp>
#include <reel_test/short_files.hpp>

#include "catalog_fixture.hpp"

namespace {

using namespace record;
using record_test::CatalogTest;
using record_test::kMorning;
using record_test::kSecond;
using record_test::segment;
using reel::ErrorCode;
using reel_test::ChildProcess;
using reel_test::expect_error;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

class StoreTest : public CatalogTest {};

TEST_F(StoreTest, MakesTheDirectoryButNoneAbove) {
  const Store store(options());
  EXPECT_TRUE(std::filesystem::is_directory(scratch.file("recordings")));
  expect_error(ErrorCode::not_found, {"/lost/recordings", "mount its disk"}, [&] {
    const Store refused({scratch.file("lost/recordings"), true, {}});
  });
  EXPECT_FALSE(std::filesystem::exists(scratch.file("lost")));
}

TEST_F(StoreTest, IsNotMadeForReaders) {
  expect_error(ErrorCode::not_found, {scratch.file("recordings")}, [&] {
    const Store refused({scratch.file("recordings"), false, {}});
  });
}

TEST_F(StoreTest, RefusesAFileAndNothing) {
  scratch.write("file", "text");
  expect_error(ErrorCode::bad_argument, {"no directory"}, [&] {
    const Store refused({scratch.file("file"), true, {}});
  });
  expect_error(ErrorCode::bad_argument, {"named"}, [] { const Store refused({"", true, {}}); });
}

// As another user, because root may write everywhere.
const reel_test::Role nobody("nobody", [](const std::vector<std::string>& arguments) {
  if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 2;
  try {
    const Store store({arguments.at(0), true, {}});
    reel_test::say("opened");
  } catch (const reel::Error& error) {
    reel_test::say(std::string(reel::to_string(error.code())) + " " + error.what());
  }
  return 0;
});

TEST_F(StoreTest, SaysThatADirectoryMayOnlyBeRead) {
  const std::string directory = scratch.file("recordings");
  std::filesystem::create_directory(directory);
  ::chmod(scratch.path().c_str(), 0755);
  ::chmod(directory.c_str(), 0555);
  std::string said;
  if (::geteuid() == 0) {
    ChildProcess child = ChildProcess::role("nobody", {directory});
    said = child.read_line().value_or("");
  } else {
    try {
      const Store store(options());
    } catch (const reel::Error& error) {
      said = std::string(reel::to_string(error.code())) + " " + error.what();
    }
  }
  EXPECT_THAT(said, testing::StartsWith("no_permission"));
  EXPECT_THAT(said, HasSubstr(directory));
  EXPECT_THAT(said, HasSubstr("right to write"));
}

TEST_F(StoreTest, GivesAFileItsNameWhenItIsWhole) {
  Catalog catalog(options());
  SegmentRecord record = segment();
  const OpenSegment open = begun(catalog, record, 1000);
  const std::string day = scratch.file("recordings/2026-11-22");
  EXPECT_EQ(open.path, "2026-11-22/door_20261122T073116.345Z.mkv");
  EXPECT_THAT(names_in(day),
              ElementsAre("door_20261122T073116.345Z.json", "door_20261122T073116.345Z.open.mkv"));
  record.state = SegmentState::finished;
  catalog.finish(record);
  EXPECT_EQ(record.bytes, 1000u);
  EXPECT_THAT(names_in(day), ElementsAre("door_20261122T073116.345Z.json", "door_20261122T073116.345Z.mkv"));
  const SegmentRecord manifest =
      segment_from_json(scratch.read("recordings/2026-11-22/door_20261122T073116.345Z.json"), "test");
  EXPECT_EQ(manifest.state, SegmentState::finished);
  EXPECT_EQ(manifest.bytes, 1000u);
}

TEST_F(StoreTest, TakesTheNextNumberWhereTheNameIsTaken) {
  Catalog catalog(options());
  EXPECT_EQ(finished(catalog, segment()).path, "2026-11-22/door_20261122T073116.345Z.mkv");
  EXPECT_EQ(finished(catalog, segment()).path, "2026-11-22/door_20261122T073116.345Z-2.mkv");
  SegmentRecord open = segment();
  const OpenSegment third = begun(catalog, open);
  EXPECT_EQ(third.path, "2026-11-22/door_20261122T073116.345Z-3.mkv");
  EXPECT_EQ(finished(catalog, segment()).path, "2026-11-22/door_20261122T073116.345Z-4.mkv");
}

TEST_F(StoreTest, NeverWritesOverAFinishedFile) {
  Catalog catalog(options());
  SegmentRecord record = segment();
  const OpenSegment open = begun(catalog, record);
  scratch.write("recordings/" + open.path, "somebody else's");
  record.state = SegmentState::finished;
  expect_error(ErrorCode::io, {open.path}, [&] { catalog.finish(record); });
  EXPECT_EQ(scratch.read("recordings/" + open.path), "somebody else's");
}

TEST_F(StoreTest, RemovesAllThatBelongsToASegmentAndNothingElse) {
  Catalog catalog(options());
  const SegmentRecord first = finished(catalog, segment());
  const SegmentRecord second = finished(catalog, segment());
  const std::string stem = "recordings/" + stem_of(first.path);
  scratch.write(stem + ".frames", "{}");
  scratch.write(stem + ".e1.jpg", "picture");
  EXPECT_TRUE(catalog.remove(first.path, "a test"));
  EXPECT_FALSE(catalog.remove(first.path, "a test"));
  EXPECT_THAT(names_in(scratch.file("recordings/2026-11-22")),
              ElementsAre("door_20261122T073116.345Z-2.json", "door_20261122T073116.345Z-2.mkv"));
  EXPECT_TRUE(catalog.remove(second.path, "a test"));
  EXPECT_FALSE(std::filesystem::exists(scratch.file("recordings/2026-11-22"))) << "an empty day is left";
}

TEST_F(StoreTest, NeverRemovesAnOpenOneNorAnythingElseThanSegments) {
  Catalog catalog(options());
  SegmentRecord record = segment();
  const OpenSegment open = begun(catalog, record);
  expect_error(ErrorCode::in_use, {"being written"}, [&] { (void)catalog.remove(record.path, "a test"); });
  scratch.write("door_20261122T073116.345Z.mkv", "outside");
  for (const char* path : {"../door_20261122T073116.345Z.mkv",
                           "2026-11-22/../../door_20261122T073116.345Z.mkv", "index.sqlite", ""})
    EXPECT_FALSE(catalog.remove(path, "a test")) << path;
  EXPECT_EQ(scratch.read("door_20261122T073116.345Z.mkv"), "outside");
  EXPECT_TRUE(std::filesystem::exists(open.file));
}

TEST_F(StoreTest, LeavesNothingOfAFileThatDoesNotFit) {
  Catalog catalog(options());
  SegmentRecord record = segment();
  {
    const reel_test::ShortFiles full(1);
    expect_error(ErrorCode::io, {"writing"}, [&] { (void)catalog.begin(record); });
  }
  EXPECT_THAT(names_in(scratch.file("recordings/2026-11-22")), IsEmpty());
  EXPECT_EQ(finished(catalog, segment()).path, "2026-11-22/door_20261122T073116.345Z.mkv");
}

// Two recorders.

const reel_test::Role recorder("recorder", [](const std::vector<std::string>& arguments) {
  try {
    const Store store({arguments.at(0), true, {}});
    const RecordingLock lock = store.lock(arguments.at(1));
    reel_test::say("locked");
    (void)reel_test::hear();
  } catch (const reel::Error& error) {
    reel_test::say(std::string(reel::to_string(error.code())) + " " + error.what());
  }
  return 0;
});

TEST_F(StoreTest, LocksANameForOneProcessAtATime) {
  const std::string directory = scratch.file("recordings");
  ChildProcess first = ChildProcess::role("recorder", {directory, "door"});
  ASSERT_EQ(first.read_line(), "locked");
  ChildProcess second = ChildProcess::role("recorder", {directory, "door"});
  const std::string said = second.read_line().value_or("");
  EXPECT_THAT(said, testing::StartsWith("in_use"));
  EXPECT_THAT(said, HasSubstr("'door' is being written by process " + std::to_string(first.pid())));
  ChildProcess other = ChildProcess::role("recorder", {directory, "garden"});
  EXPECT_EQ(other.read_line(), "locked");

  const Store store(options());
  EXPECT_TRUE(store.being_recorded("door"));
  EXPECT_FALSE(store.being_recorded("nothing"));
  first.signal(SIGKILL);
  (void)first.wait();
  EXPECT_FALSE(store.being_recorded("door"));
  ChildProcess third = ChildProcess::role("recorder", {directory, "door"});
  EXPECT_EQ(third.read_line(), "locked");
}

TEST_F(StoreTest, LocksANameOnceInAProcess) {
  const Store store(options());
  const RecordingLock lock = store.lock("door");
  expect_error(ErrorCode::in_use, {"'door'"}, [&] { (void)store.lock("door"); });
}

// A lost disk.

/// A tmpfs in a mount namespace of this process alone.
class Disk {
 public:
  explicit Disk(std::string place) : place_(std::move(place)) {
    mounted_ = ::mount("none", place_.c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  ~Disk() { unmount(); }
  void unmount() {
    if (mounted_) ::umount2(place_.c_str(), MNT_DETACH);
    mounted_ = false;
  }
  [[nodiscard]] bool mounted() const { return mounted_; }

 private:
  std::string place_;
  bool mounted_ = false;
};

TEST_F(StoreTest, WritesNothingWithoutTheMountThatItRequires) {
  const std::string mount = scratch.file("disk");
  std::filesystem::create_directory(mount);
  expect_error(ErrorCode::not_found, {mount, "nothing is mounted", "require_mount"}, [&] {
    const Store refused({mount + "/recordings", true, mount});
  });
  EXPECT_THAT(names_in(mount), IsEmpty());
  expect_error(ErrorCode::bad_argument, {"does not lie below /proc"}, [&] {
    const Store refused({scratch.file("recordings"), true, "/proc"});
  });
}

int lose_the_disk(const std::string& mount) {
  // In a child: with a mount table of its own, nothing is left behind.
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return 77;
  Disk disk(mount);
  if (!disk.mounted()) return 77;
  Catalog catalog({mount + "/recordings", true, mount});
  SegmentRecord record = segment();
  (void)catalog.begin(record);
  disk.unmount();
  std::filesystem::create_directory(mount + "/recordings");  // what lies below the disk
  try {
    SegmentRecord next = segment();
    (void)catalog.begin(next);
  } catch (const reel::Error& error) {
    const bool nothing_written = std::filesystem::is_empty(mount + "/recordings");
    return error.code() == ErrorCode::not_found && nothing_written ? 0 : 2;
  }
  return 1;
}

TEST_F(StoreTest, StopsWritingWhenTheDiskIsLost) {
  const std::string mount = scratch.file("disk");
  std::filesystem::create_directory(mount);
  ChildProcess child = ChildProcess::call([&] { return lose_the_disk(mount); });
  const auto status = child.wait();
  if (status.code == 77) GTEST_SKIP() << "needs root, and a root that is a mount, to mount a disk of its own";
  EXPECT_EQ(status.code, 0) << child.errors();
}

TEST_F(StoreTest, SaysThatTheDirectoryIsGone) {
  Catalog catalog(options());
  std::filesystem::remove_all(scratch.file("recordings"));
  SegmentRecord record = segment();
  expect_error(ErrorCode::not_found, {scratch.file("recordings")}, [&] { (void)catalog.begin(record); });
  expect_error(ErrorCode::not_found, {scratch.file("recordings")}, [&] { (void)catalog.refresh(); });
}

}  // namespace
