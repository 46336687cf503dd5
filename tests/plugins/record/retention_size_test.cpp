// What retention does is the same whatever became of the index, and costs the same however much lies there.
#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <random>
#include <tuple>

#include <sqlite3.h>
#include <sys/stat.h>

#include "catalog/retention.hpp"
#include "catalog_fixture.hpp"

namespace {

using namespace record;
using record_test::kDay;
using record_test::kMorning;
using record_test::kSecond;
using record_test::segment;
using testing::Le;
using testing::SizeIs;

constexpr std::int64_t kHour = 3600 * kSecond;

SegmentRecord lying(const std::string& path, std::int64_t start_utc_ns, std::uint64_t sequence) {
  SegmentRecord record = segment("door", start_utc_ns);
  record.path = path;
  record.sequence = sequence;
  record.state = SegmentState::finished;
  record.bytes = 1000;
  return record;
}

// The rule about ages as README.md states it, by a pass over everything.

std::int64_t believable(std::int64_t step_ns, std::int64_t longest_ns) {
  return step_ns < -kHour || step_ns > longest_ns ? 0 : step_ns;
}

std::vector<std::string> older_than(std::vector<SegmentRecord> all, std::int64_t max_age_ns,
                                    std::int64_t now_utc_ns) {
  std::sort(all.begin(), all.end(), [](const SegmentRecord& a, const SegmentRecord& b) {
    return std::tie(a.sequence, a.start_utc_ns, a.path) < std::tie(b.sequence, b.start_utc_ns, b.path);
  });
  const std::int64_t longest_ns = max_age_ns + kDay;
  std::vector<std::int64_t> ends;
  std::int64_t at_ns = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0) at_ns += believable(all[i].start_utc_ns - all[i - 1].start_utc_ns, longest_ns);
    ends.push_back(
        at_ns + std::max<std::int64_t>(believable(all[i].end_utc_ns - all[i].start_utc_ns, longest_ns), 0));
  }
  if (!all.empty()) at_ns += believable(now_utc_ns - all.back().start_utc_ns, longest_ns);
  std::vector<std::string> old;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (at_ns - ends[i] > max_age_ns) old.push_back(all[i].path);
  return old;
}

TEST(RetentionOfMany, AgesAreThoseOfAPassOverAllHoweverRowsCameAndWent) {
  std::mt19937 chance(7);
  const auto any = [&](std::int64_t from, std::int64_t to) {
    return std::uniform_int_distribution<std::int64_t>(from, to)(chance);
  };
  for (int round = 0; round < 25; ++round) {
    std::map<std::string, SegmentRecord> all;
    std::int64_t clock_ns = kMorning;
    for (std::uint64_t i = 0; i < 60; ++i) {
      clock_ns += any(0, 5) > 0 ? any(-kHour, 20 * kHour) : any(-400, 400) * kDay / 40;
      SegmentRecord each = lying("2026-11-22/" + std::to_string(100 + i), clock_ns, 2 * i + 1);
      if (any(0, 9) == 0) each.end_utc_ns = each.start_utc_ns + any(-10, 10) * kDay;
      all.emplace(each.path, each);
    }
    std::vector<SegmentRecord> order;
    for (const auto& [path, each] : all) order.push_back(each);
    std::shuffle(order.begin(), order.end(), chance);
    Index index(Index::kInMemory);
    const auto check = [&] {
      order.clear();
      for (const auto& [path, each] : all) order.push_back(each);
      for (const std::int64_t age_ns : {std::int64_t{1}, kDay / 4, kDay, 2 * kDay, 5 * kDay, 60 * kDay}) {
        const std::int64_t now_ns = clock_ns + any(0, 20) * kDay / 10;
        std::vector<std::string> found;
        RetentionRule rule;
        rule.max_age_ns = age_ns;
        for (const Removal& each : plan_removals(index, {rule}, 0, now_ns)) found.push_back(each.path);
        ASSERT_EQ(found, older_than(order, age_ns, now_ns)) << "round " << round << ", age " << age_ns;
      }
    };
    for (const SegmentRecord& each : order) index.put(each, std::nullopt);
    check();
    for (int change = 0; change < 40; ++change) {
      auto one = std::next(all.begin(), any(0, static_cast<std::int64_t>(all.size()) - 1));
      if (any(0, 2) == 0) {
        one->second.start_utc_ns += any(-3, 3) * kDay;  // as a manifest that was written anew
        one->second.end_utc_ns = one->second.start_utc_ns + 20 * kSecond;
        index.put(one->second, std::nullopt);
      } else {
        for (std::int64_t run = any(1, 8); run > 0 && one != all.end() && all.size() > 10; --run) {
          index.remove(one->first);
          one = all.erase(one);
        }
      }
      if (change % 8 == 0) check();
    }
    check();
  }
}

TEST(RetentionOfMany, TotalsFollowWhatComesAndGoes) {
  Index index(Index::kInMemory);
  SegmentRecord first = lying("2026-11-22/a", kMorning, 1);
  SegmentRecord second = lying("2026-11-22/b", kMorning + kHour, 2);
  index.put(first, std::nullopt);
  index.put(second, std::nullopt);
  first.bytes = 5000;
  index.put(first, std::nullopt);
  ASSERT_THAT(index.totals(), SizeIs(1));
  EXPECT_EQ(index.totals()[0].bytes, 6000u);
  EXPECT_EQ(index.totals()[0].segments, 2u);
  second.kind = SegmentClass::protected_;
  index.put(second, std::nullopt);
  ASSERT_THAT(index.totals(), SizeIs(2));
  EXPECT_EQ(index.totals()[0].bytes, 5000u);
  index.remove(first.path);
  ASSERT_THAT(index.totals(), SizeIs(1));
  EXPECT_EQ(index.totals()[0].bytes, 1000u);
}

// Work is counted in steps of SQLite's machine, whoever opens an index.

std::uint64_t steps = 0;

int count_step(void*) {
  ++steps;
  return 0;
}

int count_steps_of(sqlite3* database, const char**, const struct sqlite3_api_routines*) {
  sqlite3_progress_handler(database, 1, count_step, nullptr);
  return SQLITE_OK;
}

class RetentionOfAYear : public record_test::CatalogTest {
 protected:
  static void SetUpTestSuite() {
    ASSERT_EQ(sqlite3_auto_extension(reinterpret_cast<void (*)()>(count_steps_of)), SQLITE_OK);
  }
  static void TearDownTestSuite() { sqlite3_reset_auto_extension(); }

  struct Costs {
    std::uint64_t opening = 0;
    std::uint64_t recording = 0;  // one segment, from its beginning to its end
    std::uint64_t keeping = 0;    // retention that has nothing to do
    std::uint64_t removing = 0;   // two segments
  };
  /// Of a directory with so many segments in five days, of which the index knows and nothing has changed.
  Costs costs_of(int count) {
    const std::string directory = scratch.file(std::to_string(count));
    const std::int64_t step_ns = 5 * kDay / count;
    std::filesystem::create_directory(directory);
    {
      Index index(directory + "/index.sqlite");
      Index::Transaction transaction(index);
      for (int i = 0; i < count; ++i) {
        const std::int64_t start_ns = kMorning + i * step_ns;
        SegmentRecord each = lying(to_path({"door", start_ns, false, 1, "mkv", false}), start_ns,
                                   static_cast<std::uint64_t>(i) + 1);
        each.end_utc_ns = start_ns + step_ns;
        each.gaps.clear();
        index.put(each, std::nullopt);
      }
      for (const std::string& day : index.days()) {
        const std::string whole = directory + "/" + day;
        std::filesystem::create_directory(whole);
        struct stat facts {};
        EXPECT_EQ(::stat(whole.c_str(), &facts), 0);
        index.set_day(day, std::int64_t{facts.st_mtim.tv_sec} * kSecond + facts.st_mtim.tv_nsec);
      }
      transaction.commit();
    }
    Costs costs;
    steps = 0;
    Catalog catalog({directory, true, {}});
    costs.opening = std::exchange(steps, 0);
    EXPECT_THAT(catalog.find({.most = 3}), SizeIs(3)) << "it was looked through, and nothing is there";
    steps = 0;
    SegmentRecord next = segment("door", kMorning + 6 * kDay);
    const OpenSegment open = catalog.begin(next);
    catalog.save(next);
    next.state = SegmentState::finished;
    catalog.finish(next);
    costs.recording = std::exchange(steps, 0);
    const std::int64_t now_ns = kMorning + 6 * kDay + kHour;
    RetentionRule rule;
    rule.max_age_ns = 30 * kDay;
    rule.max_bytes = 1'000'000'000'000;
    rule.min_free = 1;
    EXPECT_THAT(apply_retention(catalog, {rule}, now_ns).removed, SizeIs(0));
    costs.keeping = std::exchange(steps, 0);
    rule.max_age_ns = 0;
    rule.max_bytes = static_cast<std::uint64_t>(count - 2) * 1000;  // the new one is empty
    EXPECT_THAT(apply_retention(catalog, {rule}, now_ns, /*dry_run=*/true).removed, SizeIs(2));
    costs.removing = std::exchange(steps, 0);
    rule.max_bytes = 0;
    rule.max_age_ns = now_ns - (kMorning + 2 * step_ns) - 1;
    EXPECT_THAT(apply_retention(catalog, {rule}, now_ns, /*dry_run=*/true).removed, SizeIs(2));
    costs.removing += std::exchange(steps, 0);
    return costs;
  }
};

TEST_F(RetentionOfAYear, CostsWhatADayOfItCosts) {
  const Costs few = costs_of(100);
  const Costs many = costs_of(20'000);
  const auto no_more = [](std::uint64_t cost) { return Le(cost + cost / 4 + 100); };
  EXPECT_GT(few.keeping, 10u) << "nothing was counted";
  EXPECT_THAT(many.opening, no_more(few.opening));
  EXPECT_THAT(many.recording, no_more(few.recording));
  EXPECT_THAT(many.keeping, no_more(few.keeping));
  EXPECT_THAT(many.removing, no_more(few.removing));
}

}  // namespace
