#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/expect_error.hpp>

#include <reel/stats/metrics.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class Metrics : public ::testing::Test {
 protected:
  const StagePageMapping mapping_ = StagePageMapping::create();
  MetricTable& table_ = mapping_.page().metrics;
};

TEST_F(Metrics, AreReadAsTheyWereSet) {
  StageMetrics metrics(table_);
  metrics.counter("reconnects", "times that it came back").add(3);
  metrics.gauge("spool_bytes", "in the spool", "camera").set(1.5);
  const auto read = read_metrics(table_);
  ASSERT_THAT(read, SizeIs(2));
  EXPECT_EQ(read[0].name, "reconnects");
  EXPECT_EQ(read[0].kind, MetricKind::counter);
  EXPECT_EQ(read[0].help, "times that it came back");
  EXPECT_EQ(read[0].value, 3);
  EXPECT_EQ(read[1].stream, "camera");
  EXPECT_EQ(read[1].kind, MetricKind::gauge);
  EXPECT_EQ(read[1].value, 1.5);
}

TEST_F(Metrics, OfOneNameAndStreamAreOne) {
  StageMetrics metrics(table_);
  metrics.counter("lost", "", "a").add();
  metrics.counter("lost", "", "b").add(5);
  metrics.counter("lost", "", "a").add();
  const auto read = read_metrics(table_);
  ASSERT_THAT(read, SizeIs(2));
  EXPECT_EQ(read[0].value, 2);
  EXPECT_EQ(read[1].value, 5);
}

TEST_F(Metrics, OfALifeBeforeAreCountedOnAndMeasuredAnew) {
  {
    StageMetrics before(table_);
    before.counter("segments", "").add(7);
    before.gauge("backlog", "").set(4);
  }
  StageMetrics metrics(table_);
  ASSERT_THAT(read_metrics(table_), SizeIs(1)) << "what a dead process measured is no longer so";
  metrics.counter("segments", "").add();
  metrics.gauge("backlog", "").set(1);
  const auto read = read_metrics(table_);
  ASSERT_THAT(read, SizeIs(2));
  EXPECT_EQ(read[0].value, 8);
  EXPECT_EQ(read[1].value, 1);
}

TEST_F(Metrics, ThatAreNoNumberAreNotTold) {
  StageMetrics metrics(table_);
  Gauge gauge = metrics.gauge("disk_free_bytes", "");
  EXPECT_THAT(read_metrics(table_), IsEmpty()) << "never set";
  gauge.set(1);
  EXPECT_THAT(read_metrics(table_), SizeIs(1));
  gauge.set(std::nan(""));
  EXPECT_THAT(read_metrics(table_), IsEmpty());
}

TEST_F(Metrics, OfNobodyCountForNobody) {
  Counter counter;
  counter.add();
  EXPECT_EQ(counter.value(), 0u);
  Gauge().set(1);
}

TEST_F(Metrics, AreRefusedUnderANameThatIsNone) {
  StageMetrics metrics(table_);
  for (const std::string& name : {std::string(), std::string("Spool"), std::string("7up"), std::string("a-b"),
                                  std::string("a\0b", 3), std::string(64, 'a')})
    reel_test::expect_error(ErrorCode::bad_argument, {"is no name of a metric"},
                            [&] { (void)metrics.counter(name, ""); });
  EXPECT_THAT(read_metrics(table_), IsEmpty());
}

TEST_F(Metrics, AreOfOneKind) {
  StageMetrics metrics(table_);
  (void)metrics.counter("bytes", "");
  reel_test::expect_error(ErrorCode::bad_argument, {"bytes", "is a counter already", "no gauge"},
                          [&] { (void)metrics.gauge("bytes", ""); });
}

TEST_F(Metrics, AreSoManyAtMost) {
  StageMetrics metrics(table_);
  for (std::size_t i = 0; i < kMaxMetrics; ++i) metrics.counter("n", "", std::to_string(i)).add();
  reel_test::expect_error(ErrorCode::bad_argument, {"one too many", "96"},
                          [&] { (void)metrics.counter("more", ""); });
  metrics.counter("n", "", "0").add();
  EXPECT_THAT(read_metrics(table_), SizeIs(kMaxMetrics));
}

TEST_F(Metrics, WithTextsThatAreTooLongAreCutBetweenCharacters) {
  StageMetrics metrics(table_);
  metrics.counter("n", std::string(126, 'a') + "\xc3\xa4", std::string(200, 's')).add();
  const auto read = read_metrics(table_);
  ASSERT_THAT(read, SizeIs(1));
  EXPECT_EQ(read[0].help, std::string(126, 'a'));
  EXPECT_EQ(read[0].stream, std::string(63, 's'));
}

TEST_F(Metrics, OfAHostilePageAreBounded) {
  table_.count.store(~0u);
  for (MetricSlot& slot : table_.slots) {
    slot.name.fill('x');
    slot.kind.store(99);
  }
  EXPECT_THAT(read_metrics(table_), IsEmpty());
  StageMetrics metrics(table_);
  reel_test::expect_error(ErrorCode::bad_argument, {"one too many"}, [&] { (void)metrics.counter("n", ""); });
}

}  // namespace
}  // namespace reel
