// The index is a cache: whatever becomes of it, or of a manifest, and whoever else works on the directory.
#include <filesystem>
#include <limits>

#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>

#include <reel/base/error.hpp>
#include <reel_test/child_process.hpp>
#include <reel_test/short_files.hpp>

#include "catalog/retention.hpp"
#include "catalog_fixture.hpp"

namespace {

using namespace record;
using record_test::kMorning;
using record_test::kSecond;
using record_test::segment;
using reel::ErrorCode;
using reel_test::ChildProcess;
using testing::IsEmpty;
using testing::SizeIs;

class RecordingsAmongFaults : public record_test::RecordingsTest {};

TEST_F(RecordingsAmongFaults, AreFoundWhereTheIndexIsDeleted) {
  std::vector<SegmentRecord> all;
  {
    Catalog catalog(options());
    all = recorded(catalog, 2);
    std::filesystem::remove(index_file());  // while it is open
    EXPECT_EQ(paths(catalog.find()), paths(all));
    all.push_back(finished(catalog, segment("door", kMorning + 60 * kSecond)));
    EXPECT_EQ(paths(catalog.find()), paths(all));
  }
  expect_found(all);
  std::filesystem::remove(index_file());
  expect_found(all);
}

TEST_F(RecordingsAmongFaults, AreFoundWhereTheIndexIsNoIndex) {
  std::vector<SegmentRecord> all;
  {
    Catalog catalog(options());
    all = recorded(catalog, 2);
  }
  for (const std::string& content : {std::string(), std::string("garbage"), std::string(100'000, '\xff')}) {
    scratch.write("recordings/index.sqlite", content);
    expect_found(all);
  }
}

TEST_F(RecordingsAmongFaults, AreFoundWhereAnyPageOfTheIndexIsDamaged) {
  std::vector<SegmentRecord> all;
  {
    Catalog catalog(options());
    all = recorded(catalog, 30);
  }
  const std::string whole = reel_test::read_file(index_file());
  ASSERT_GT(whole.size(), 16'384u);
  for (std::size_t page = 0; page < whole.size(); page += 4096) {
    std::string damaged = whole;
    std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(page), 4096, '\xa5');
    std::filesystem::remove(index_file() + "-wal");
    scratch.write("recordings/index.sqlite", damaged);
    Catalog catalog(options());
    (void)catalog.find({.stream = "camera"});  // whatever it finds: it does not fail
    (void)catalog.reindex();
    EXPECT_EQ(paths(catalog.find()), paths(all)) << "page at " << page;
  }
  expect_found(all);
}

TEST_F(RecordingsAmongFaults, AreFoundWhereTheIndexIsCutShort) {
  std::vector<SegmentRecord> all;
  {
    Catalog catalog(options());
    all = recorded(catalog, 30);
  }
  const std::string whole = reel_test::read_file(index_file());
  for (const std::size_t size : {std::size_t{1}, std::size_t{100}, std::size_t{5000}, whole.size() / 2}) {
    scratch.write("recordings/index.sqlite", whole.substr(0, size));
    expect_found(all);
  }
}

TEST_F(RecordingsAmongFaults, AreFoundWhereTheIndexIsOfAnotherVersion) {
  std::vector<SegmentRecord> all;
  {
    Catalog catalog(options());
    all = recorded(catalog, 2);
  }
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(index_file().c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "PRAGMA user_version = 99", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  expect_found(all);
}

TEST_F(RecordingsAmongFaults, AreRecordedOnWhereTheIndexIsDamagedMeanwhile) {
  std::vector<SegmentRecord> all;
  Catalog catalog(options());
  all = recorded(catalog, 30);
  for (const std::string& content : {std::string(), std::string("garbage"), std::string(300'000, '\xff')}) {
    scratch.write("recordings/index.sqlite", content);  // the file that is open
    const std::int64_t start_ns = kMorning + static_cast<std::int64_t>(all.size()) * 20 * kSecond;
    SegmentRecord next = segment("door", start_ns);
    const OpenSegment open = begun(catalog, next);
    catalog.save(next);
    EXPECT_THAT(apply_retention(catalog, {{.max_bytes = 1'000'000}}, start_ns).removed, IsEmpty());
    next.state = SegmentState::finished;
    catalog.finish(next);
    all.push_back(next);
    (void)catalog.refresh();
    EXPECT_EQ(catalog.newest("door")->path, next.path);
    expect_found(all);
  }
}

int look_at_a_directory_that_may_only_be_read(const std::string& directory, std::size_t segments) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount(directory.c_str(), directory.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
      ::mount("none", directory.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0)
    return 77;
  Catalog catalog({directory, false, {}});
  if (catalog.find().size() != segments || catalog.refresh().read != 0) return 1;
  if (apply_retention(catalog, {{.max_bytes = 1}}, kMorning, /*dry_run=*/true).removed.size() != segments)
    return 2;
  try {
    (void)catalog.remove(catalog.find().front().path, "a test");
  } catch (const reel::Error& error) {
    return error.code() == ErrorCode::no_permission && catalog.find().size() == segments ? 0 : 3;
  }
  return 4;
}

TEST_F(RecordingsAmongFaults, AreFoundWhereTheyMayOnlyBeRead) {
  std::vector<SegmentRecord> all;
  {
    Catalog catalog(options());
    all = recorded(catalog, 3);
  }
  for (const bool with_index : {true, false}) {
    if (!with_index) std::filesystem::remove(index_file());
    auto child = ChildProcess::call(
        [&] { return look_at_a_directory_that_may_only_be_read(scratch.file("recordings"), all.size()); });
    const auto status = child.wait();
    if (status.code == 77) GTEST_SKIP() << "needs root, and a root that is a mount, to mount it so";
    EXPECT_EQ(status.code, 0) << child.errors();
  }
}

TEST_F(RecordingsAmongFaults, WithAManifestFullOfNonsenseHarmNoOthers) {
  const std::string path = "2026-11-22/door_20261122T073116.345Z.mkv";
  SegmentRecord wrong = segment();
  wrong.path = path;
  wrong.state = SegmentState::finished;
  wrong.sequence = std::numeric_limits<std::uint64_t>::max() / 2;
  wrong.start_ns = wrong.start_utc_ns = std::numeric_limits<std::int64_t>::min();
  wrong.end_ns = wrong.end_utc_ns = std::numeric_limits<std::int64_t>::max();
  scratch.write("recordings/" + path, "x");
  scratch.write("recordings/" + manifest_path_of(path), to_json(wrong));
  Catalog catalog(options());
  std::vector<SegmentRecord> all;
  for (int i = 1; i < 4; ++i) all.push_back(finished(catalog, segment("door", kMorning + i * 20 * kSecond)));
  EXPECT_LT(all[0].sequence, all[1].sequence);
  EXPECT_LT(all[2].sequence, 10u);
  const std::int64_t now_ns = kMorning + 100 * kSecond;
  EXPECT_THAT(apply_retention(catalog, {{.max_age_ns = 3600 * kSecond}}, now_ns).removed, IsEmpty());
  const RetentionResult result = apply_retention(catalog, {{.max_bytes = 200}}, now_ns);
  ASSERT_THAT(result.removed, SizeIs(2));
  EXPECT_EQ(result.removed[0].path, path);
  EXPECT_EQ(result.removed[1].path, all[0].path);
}

TEST_F(RecordingsAmongFaults, AreFoundWhereTheIndexCannotBeWritten) {
  Catalog first(options());
  std::vector<SegmentRecord> all = recorded(first, 2);
  std::filesystem::remove(index_file());
  std::filesystem::create_directory(index_file());  // nor replaced
  expect_found(all);

  Catalog catalog(options());
  EXPECT_EQ(catalog.refresh().read, 0u) << "it is in memory, and lives on";
  all.push_back(finished(first, segment("door", kMorning + 60 * kSecond)));
  EXPECT_EQ(catalog.refresh().read, 1u);
  EXPECT_EQ(paths(catalog.find()), paths(all));
  std::filesystem::remove(index_file());
  (void)catalog.refresh();
  EXPECT_TRUE(std::filesystem::is_regular_file(index_file())) << "it can be written again";
  EXPECT_EQ(paths(catalog.find()), paths(all));
}

TEST_F(RecordingsAmongFaults, AreRecordedWhereTheIndexDoesNotFit) {
  Catalog catalog(options());
  std::vector<SegmentRecord> all = recorded(catalog, 2);
  {
    const reel_test::ShortFiles full(8192);  // a manifest fits
    all.push_back(finished(catalog, segment("door", kMorning + 60 * kSecond)));
    EXPECT_EQ(paths(catalog.find()), paths(all));
    EXPECT_EQ(catalog.refresh().read, 0u) << "what is in memory came out of the file";
    EXPECT_EQ(paths(catalog.find()), paths(all));
  }
  EXPECT_EQ(catalog.refresh().read, 1u) << "there is room again: what the file has not seen";
  EXPECT_EQ(paths(catalog.find()), paths(all));
  expect_found(all);
}

// Two recorders on one directory, and somebody who looks and removes meanwhile.

const reel_test::Role busy("busy", [](const std::vector<std::string>& arguments) {
  Catalog catalog({arguments.at(0), true, {}});
  const RecordingLock lock = catalog.store().lock(arguments.at(1));
  for (int i = 0; i < std::stoi(arguments.at(2)); ++i) {
    SegmentRecord record = segment(arguments.at(1), kMorning + i * 20 * kSecond);
    const OpenSegment open = catalog.begin(record);
    record.state = SegmentState::finished;
    catalog.finish(record);
  }
  return 0;
});

TEST_F(RecordingsAmongFaults, OfTwoRecordersShareOneIndex) {
  constexpr int kEach = 60;
  const std::string directory = scratch.file("recordings");
  std::filesystem::create_directory(directory);
  std::vector<ChildProcess> recorders;
  for (const char* name : {"door", "garden"})
    recorders.push_back(ChildProcess::role("busy", {directory, name, std::to_string(kEach)}));
  Catalog catalog(options());
  int round = 0;
  while (recorders[0].running() || recorders[1].running()) {
    (void)catalog.refresh();
    if (++round % 3 == 0) (void)catalog.reindex();  // replaces the file below them
  }
  for (ChildProcess& each : recorders) EXPECT_TRUE(each.wait().ok()) << each.errors();
  (void)catalog.refresh();
  EXPECT_THAT(catalog.find({.recording = "door", .with_open = false}), SizeIs(kEach));
  EXPECT_THAT(catalog.find({.recording = "garden", .with_open = false}), SizeIs(kEach));
  std::uint64_t before = 0;
  for (const SegmentRecord& each : catalog.find({.recording = "door"})) {
    EXPECT_LT(before, each.sequence);
    before = each.sequence;
  }
}

// Both keep to a limit that is for all that lies there, and to one of their own.
const reel_test::Role keeper("keeper", [](const std::vector<std::string>& arguments) {
  const std::string& name = arguments.at(1);
  Catalog catalog({arguments.at(0), true, {}});
  const RecordingLock lock = catalog.store().lock(name);
  for (int i = 0; i < std::stoi(arguments.at(2)); ++i) {
    SegmentRecord record = segment(name, kMorning + i * 20 * kSecond);
    {
      const OpenSegment open = catalog.begin(record);
      const std::string content(100, 'x');
      if (::write(open.fd.get(), content.data(), content.size()) != 100) return 1;
    }
    record.state = SegmentState::finished;
    catalog.finish(record);
    const std::vector<RetentionRule> rules{{.recording = name, .max_bytes = 1000}, {.max_bytes = 1200}};
    const RetentionResult result = apply_retention(catalog, rules, record.end_utc_ns);
    if (!result.failures.empty()) return 2;
    if (!catalog.get(record.path)) return 3;  // the newest is the last to go
  }
  return 0;
});

TEST_F(RecordingsAmongFaults, OfTwoRecordersAreKeptToLimitsByBothAtOnce) {
  const std::string directory = scratch.file("recordings");
  std::filesystem::create_directory(directory);
  std::vector<ChildProcess> recorders;
  for (const char* name : {"door", "garden"})
    recorders.push_back(ChildProcess::role("keeper", {directory, name, "60"}));
  for (ChildProcess& each : recorders) EXPECT_TRUE(each.wait().ok()) << each.errors();
  Catalog catalog(options());
  std::uint64_t bytes = 0;
  const std::vector<SegmentRecord> left = catalog.find();
  for (const SegmentRecord& each : left) {
    bytes += each.bytes;
    EXPECT_TRUE(std::filesystem::exists(directory + "/" + each.path));
    EXPECT_TRUE(catalog.store().has_manifest({each.path, false, {}})) << each.path;
  }
  EXPECT_LE(bytes, 1200u);
  EXPECT_THAT(left, testing::Not(IsEmpty()));
  std::uint64_t counted = 0;
  catalog.look([&](const Index& index) {
    for (const Total& each : index.totals()) counted += each.bytes;
  });
  EXPECT_EQ(counted, bytes);
}

}  // namespace
