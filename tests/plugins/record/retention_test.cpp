// What goes, in which order, why; and what a wrong clock must not do.
#include <filesystem>

#include <sched.h>
#include <sys/mount.h>

#include <reel_test/child_process.hpp>

#include "catalog/retention.hpp"
#include "catalog_fixture.hpp"

namespace {

using namespace record;
using record_test::kDay;
using record_test::kMorning;
using record_test::kSecond;
using record_test::segment;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kYear = 365 * kDay;
constexpr std::uint64_t kPlenty = 1'000'000'000'000;

SegmentRecord lying(const std::string& path, std::int64_t start_utc_ns, std::uint64_t sequence) {
  SegmentRecord record = segment("door", start_utc_ns);
  record.path = path;
  record.sequence = sequence;
  record.state = SegmentState::finished;
  record.bytes = 1000;
  return record;
}

/// Called "0", "1", ..., of 1000 bytes, an hour between them, the last one ending at kMorning.
std::vector<SegmentRecord> hourly(int count) {
  std::vector<SegmentRecord> all;
  for (int i = 0; i < count; ++i)
    all.push_back(lying(std::to_string(i), kMorning - (count - 1 - i) * kHour - 20 * kSecond,
                        static_cast<std::uint64_t>(i) + 1));
  return all;
}

std::vector<Removal> plan_removals(const std::vector<SegmentRecord>& segments,
                                   const std::vector<RetentionRule>& rules, std::uint64_t free_bytes,
                                   std::int64_t now_utc_ns) {
  Index index(Index::kInMemory);
  // One whose place is not known finds it among those that are there.
  for (const bool known : {true, false}) {
    for (const SegmentRecord& each : segments)
      if ((each.sequence != 0) == known) index.put(each, std::nullopt);
  }
  return record::plan_removals(index, rules, free_bytes, now_utc_ns);
}

std::vector<std::string> gone(const std::vector<Removal>& removals) {
  std::vector<std::string> paths;
  for (const Removal& each : removals) paths.push_back(each.path);
  return paths;
}

RetentionRule aged(std::int64_t max_age_ns) {
  RetentionRule rule;
  rule.max_age_ns = max_age_ns;
  return rule;
}
RetentionRule sized(std::uint64_t max_bytes) {
  RetentionRule rule;
  rule.max_bytes = max_bytes;
  return rule;
}
RetentionRule leaving(std::uint64_t min_free) {
  RetentionRule rule;
  rule.min_free = min_free;
  return rule;
}

TEST(Retention, WithoutRulesOrSegmentsDoesNothing) {
  EXPECT_THAT(plan_removals(hourly(5), {}, 0, kMorning + 10 * kYear), IsEmpty());
  EXPECT_THAT(plan_removals(hourly(5), {{}}, 0, kMorning + 10 * kYear), IsEmpty());
  EXPECT_THAT(plan_removals({}, {aged(1), sized(1), leaving(1)}, 0, kMorning), IsEmpty());
}

TEST(Retention, TakesWhatIsOlderThanItsAge) {
  const auto removals = plan_removals(hourly(5), {aged(2 * kHour)}, kPlenty, kMorning + kSecond);
  EXPECT_THAT(gone(removals), ElementsAre("0", "1", "2"));
  EXPECT_THAT(removals[0].reason, HasSubstr("max_age 2h"));
  EXPECT_THAT(removals[0].reason, HasSubstr("it ended 2026-11-22T03:31:16.345Z"));
  EXPECT_THAT(gone(plan_removals(hourly(5), {aged(2 * kHour)}, kPlenty, kMorning)), ElementsAre("0", "1"));
}

TEST(Retention, TakesTheOldestUntilTheRestFits) {
  const auto removals = plan_removals(hourly(5), {sized(2500)}, kPlenty, kMorning);
  EXPECT_THAT(gone(removals), ElementsAre("0", "1", "2"));
  EXPECT_THAT(removals[2].reason, HasSubstr("max_bytes is 2.5 kB"));
  EXPECT_THAT(gone(plan_removals(hourly(5), {sized(5000)}, kPlenty, kMorning)), IsEmpty());
  EXPECT_THAT(gone(plan_removals(hourly(5), {sized(1)}, kPlenty, kMorning)), SizeIs(5));
}

TEST(Retention, TakesTheOldestUntilTheDiskHasRoom) {
  const auto removals = plan_removals(hourly(5), {leaving(10'000)}, 8'500, kMorning);
  EXPECT_THAT(gone(removals), ElementsAre("0", "1"));
  EXPECT_THAT(removals[1].reason, HasSubstr("the disk has 9.5 kB free"));
  EXPECT_THAT(gone(plan_removals(hourly(5), {leaving(10'000)}, 10'000, kMorning)), IsEmpty());
}

TEST(Retention, CountsWhatOneRuleTakesForTheNext) {
  EXPECT_THAT(gone(plan_removals(hourly(5), {aged(2 * kHour), sized(3000), leaving(9'000)}, 7'000, kMorning)),
              ElementsAre("0", "1"));
}

TEST(Retention, NeverTakesAnOpenOneButCountsIt) {
  std::vector<SegmentRecord> all = hourly(3);
  all[0].state = SegmentState::open;
  EXPECT_THAT(gone(plan_removals(all, {sized(2000)}, kPlenty, kMorning)), ElementsAre("1"));
  EXPECT_THAT(gone(plan_removals(all, {aged(1), sized(1), leaving(kPlenty)}, 0, kMorning + kHour)),
              ElementsAre("1", "2"));
}

TEST(Retention, TakesProtectedOnesOnlyByARuleOfTheirOwn) {
  std::vector<SegmentRecord> all = hourly(3);
  all[0].kind = SegmentClass::protected_;
  EXPECT_THAT(gone(plan_removals(all, {aged(1), sized(1), leaving(kPlenty)}, 0, kMorning + kHour)),
              ElementsAre("1", "2"));
  RetentionRule own = aged(kHour);
  own.kind = SegmentClass::protected_;
  EXPECT_THAT(gone(plan_removals(all, {own}, kPlenty, kMorning)), ElementsAre("0"));
}

TEST(Retention, KeepsToTheRecordingAndTheClassOfItsRule) {
  std::vector<SegmentRecord> all = hourly(4);
  all[1].kind = SegmentClass::event;
  all[2].recording = "garden";
  RetentionRule continuous = sized(1);
  continuous.kind = SegmentClass::continuous;
  continuous.recording = "door";
  EXPECT_THAT(gone(plan_removals(all, {continuous}, kPlenty, kMorning)), ElementsAre("0", "3"));
  RetentionRule events = sized(1);
  events.kind = SegmentClass::event;
  const auto removals = plan_removals(all, {events}, kPlenty, kMorning);
  EXPECT_THAT(gone(removals), ElementsAre("1"));
  EXPECT_THAT(removals[0].reason, HasSubstr("event segments"));
}

// Clocks.

TEST(Retention, AClockThatJumpsAheadDeletesNothing) {
  for (const std::int64_t jump : {10 * kDay, kYear, 10 * kYear}) {
    std::vector<SegmentRecord> all = hourly(5);
    EXPECT_THAT(plan_removals(all, {aged(7 * kDay)}, kPlenty, kMorning + jump), IsEmpty())
        << "before anything is recorded";
    all.push_back(lying("later", kMorning + jump, 6));
    EXPECT_THAT(plan_removals(all, {aged(7 * kDay)}, kPlenty, kMorning + jump + kHour), IsEmpty())
        << "after it";
  }
}

TEST(Retention, AgeGoesOnAfterAJumpAhead) {
  std::vector<SegmentRecord> all = hourly(2);
  for (int day = 0; day < 8; ++day)
    all.push_back(lying("later " + std::to_string(day), kMorning + kYear + day * kDay,
                        3u + static_cast<unsigned>(day)));
  EXPECT_THAT(gone(plan_removals(all, {aged(7 * kDay)}, kPlenty, kMorning + kYear + 7 * kDay + kHour)),
              ElementsAre("0", "1", "later 0"));
}

TEST(Retention, WhatWasRecordedUnderAWrongClockGrowsOldLikeTheRest) {
  // Ten years ahead for one hour, then set right.
  std::vector<SegmentRecord> all = {lying("before", kMorning, 1), lying("ahead", kMorning + 10 * kYear, 2),
                                    lying("after", kMorning + 2 * kHour, 3),
                                    lying("days", kMorning + 6 * kDay, 4)};
  EXPECT_THAT(plan_removals(all, {aged(7 * kDay)}, kPlenty, kMorning + 6 * kDay), IsEmpty());
  EXPECT_THAT(gone(plan_removals(all, {aged(7 * kDay)}, kPlenty, kMorning + 8 * kDay)),
              ElementsAre("before", "ahead", "after"));
}

TEST(Retention, AClockThatIsSetBackDoesNotMakeTheNewestTheOldest) {
  std::vector<SegmentRecord> all = hourly(3);
  all.push_back(lying("new", kMorning - 5 * kYear, 4));
  all.push_back(lying("newer", kMorning - 5 * kYear + 20 * kSecond, 5));
  EXPECT_THAT(gone(plan_removals(all, {sized(3000)}, kPlenty, kMorning - 5 * kYear + kHour)),
              ElementsAre("0", "1"));
  EXPECT_THAT(plan_removals(all, {aged(7 * kDay)}, kPlenty, kMorning - 5 * kYear + kHour), IsEmpty());
}

TEST(Retention, SegmentsOfManyCamerasBeginInAnyOrder) {
  // Two cameras of which one is ten minutes behind: its spool drains.
  std::vector<SegmentRecord> all;
  for (unsigned i = 0; i < 200; ++i) {
    const std::int64_t start = kMorning + std::int64_t{i / 2} * kHour;
    all.push_back(lying(std::to_string(i), i % 2 == 0 ? start : start - kHour / 6, i + 1));
  }
  const std::int64_t now = kMorning + 99 * kHour;
  std::vector<std::string> expected;
  for (const SegmentRecord& each : all) {
    if (now - each.end_utc_ns > 2 * kDay) expected.push_back(each.path);
  }
  EXPECT_EQ(gone(plan_removals(all, {aged(2 * kDay)}, kPlenty, now)), expected);
}

TEST(Retention, SegmentsOfUnknownOrderGoByTheirTime) {
  std::vector<SegmentRecord> all = hourly(4);
  all[1].sequence = 0;  // its manifest is lost
  std::swap(all[1], all[3]);
  EXPECT_THAT(gone(plan_removals(all, {sized(2000)}, kPlenty, kMorning)), ElementsAre("0", "1"));
}

// On the disk.

class RetentionTest : public record_test::CatalogTest {};

TEST_F(RetentionTest, RemovesAndSaysWhatItRemoved) {
  Catalog catalog(options());
  std::vector<SegmentRecord> all;
  for (int i = 0; i < 4; ++i) all.push_back(finished(catalog, segment("door", kMorning + i * 20 * kSecond)));
  catalog.protect(all[0].path, true);
  SegmentRecord open = segment("door", kMorning + 80 * kSecond);
  const OpenSegment writing = begun(catalog, open);
  catalog.save(open);

  const auto would = apply_retention(catalog, {sized(150)}, kMorning + 100 * kSecond, /*dry_run=*/true);
  EXPECT_THAT(gone(would.removed), ElementsAre(all[1].path, all[2].path));
  EXPECT_EQ(would.bytes, 200u);
  EXPECT_THAT(catalog.find(), SizeIs(5));

  const auto done = apply_retention(catalog, {sized(150)}, kMorning + 100 * kSecond);
  EXPECT_EQ(gone(done.removed), gone(would.removed));
  EXPECT_THAT(done.failures, IsEmpty());
  EXPECT_EQ(paths(catalog.find()), (std::vector{all[0].path, all[3].path, open.path}));
  EXPECT_FALSE(std::filesystem::exists(scratch.file("recordings/" + all[1].path)));
  EXPECT_TRUE(std::filesystem::exists(writing.file));
  EXPECT_THAT(apply_retention(catalog, {sized(150)}, kMorning + 100 * kSecond).removed, IsEmpty());
}

TEST_F(RetentionTest, SeesWhatAnotherProcessProtected) {
  Catalog catalog(options());
  const SegmentRecord kept = finished(catalog, segment());
  const SegmentRecord other = finished(catalog, segment("door", kMorning + 20 * kSecond));
  {
    Catalog elsewhere(options());
    elsewhere.protect(kept.path, true);
  }
  EXPECT_THAT(gone(apply_retention(catalog, {sized(1)}, kMorning).removed), ElementsAre(other.path));
}

int record_on_a_small_disk(const std::string& mount) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("none", mount.c_str(), "tmpfs", 0, "size=4m") != 0)
    return 77;
  Catalog catalog({mount + "/recordings", true, mount});
  const std::string content(200'000, 'x');
  for (int i = 0; i < 100; ++i) {  // five times what fits
    SegmentRecord record = segment("door", kMorning + i * 20 * kSecond);
    const OpenSegment open = catalog.begin(record);
    if (::write(open.fd.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()))
      return 1;
    record.state = SegmentState::finished;
    catalog.finish(record);
    if (!apply_retention(catalog, {leaving(1'500'000)}, record.end_utc_ns).failures.empty()) return 2;
    // Below the limit by no more than the index has grown meanwhile.
    if (catalog.store().free_bytes() < 1'000'000) return 3;
    if (catalog.find().back().path != record.path) return 4;
  }
  return catalog.find().size() > 3 ? 0 : 5;
}

TEST_F(RetentionTest, ADiskNeverFills) {
  const std::string mount = scratch.file("disk");
  std::filesystem::create_directory(mount);
  auto child = reel_test::ChildProcess::call([&] { return record_on_a_small_disk(mount); });
  const auto status = child.wait();
  if (status.code == 77) GTEST_SKIP() << "needs root, and a root that is a mount, to mount a disk of its own";
  EXPECT_EQ(status.code, 0) << child.errors();
}

TEST_F(RetentionTest, OneThatCannotBeRemovedDoesNotKeepTheRest) {
  Catalog catalog(options());
  const SegmentRecord first = finished(catalog, segment());
  const SegmentRecord second = finished(catalog, segment("door", kMorning + 20 * kSecond));
  // Something of it that unlink(2) refuses, whoever asks.
  std::filesystem::create_directory(scratch.file("recordings/" + stem_of(first.path) + ".stuck"));
  const auto done = apply_retention(catalog, {sized(1)}, kMorning);
  EXPECT_THAT(gone(done.removed), ElementsAre(second.path));
  ASSERT_THAT(done.failures, SizeIs(1));
  EXPECT_THAT(done.failures[0], HasSubstr(".stuck"));
}

}  // namespace
