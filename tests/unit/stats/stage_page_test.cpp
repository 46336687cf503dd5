#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel {
namespace {

TEST(LatencyHistogram, IsZeroWhenEmpty) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.quantile(0.5), 0);
}

TEST(LatencyHistogram, GivesEachSingleDurationBackWithin13Percent) {
  for (double exact = 1; exact < 9e18; exact *= 1.07) {
    LatencyHistogram histogram;
    histogram.add(static_cast<std::int64_t>(exact));
    for (const double quantile : {0.0, 0.5, 1.0}) {
      const auto found = static_cast<double>(histogram.quantile(quantile));
      EXPECT_NEAR(found, std::floor(exact), 0.13 * exact) << "quantile " << quantile;
    }
  }
}

TEST(LatencyHistogram, FindsTheQuantilesOfManyDurationsWithin13Percent) {
  LatencyHistogram histogram;
  for (std::int64_t microseconds = 1; microseconds <= 10'000; ++microseconds)
    histogram.add(microseconds * 1000);
  EXPECT_EQ(histogram.count(), 10'000u);
  EXPECT_NEAR(static_cast<double>(histogram.quantile(0.5)), 5e6, 0.13 * 5e6);
  EXPECT_NEAR(static_cast<double>(histogram.quantile(0.99)), 9.9e6, 0.13 * 9.9e6);
}

TEST(LatencyHistogram, TakesTheEndsOfItsRange) {
  LatencyHistogram histogram;
  histogram.add(-5);
  EXPECT_EQ(histogram.quantile(1), 0);
  histogram.add(std::numeric_limits<std::int64_t>::max());
  EXPECT_GT(histogram.quantile(1), std::int64_t{7} << 60);
  EXPECT_EQ(histogram.quantile(0.5), 0);
  EXPECT_EQ(histogram.quantile(-1), 0);
  EXPECT_GT(histogram.quantile(2), 0);
}

TEST(StagePage, IsSeenByWhoeverMapsItsDescriptor) {
  const StagePageMapping maker = StagePageMapping::create();
  const StagePageMapping other = StagePageMapping::open(UniqueFd(::dup(maker.fd())));
  EXPECT_EQ(maker.page().version, kStagePageVersion);
  other.page().inputs[3].frames.store(17, std::memory_order_relaxed);
  EXPECT_EQ(maker.page().inputs[3].frames.load(std::memory_order_relaxed), 17u);
}

TEST(StagePage, SurvivesTheProcessThatWroteIt) {
  const StagePageMapping maker = StagePageMapping::create();
  const pid_t child = ::fork();
  if (child == 0) {
    const StagePageMapping mine = StagePageMapping::open(UniqueFd(::dup(maker.fd())));
    for (int i = 0; i < 100; ++i) mine.page().inputs[0].hop.add(1000);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(maker.page().inputs[0].hop.count(), 100u);
}

TEST(StagePage, CannotBeShrunkUnderItsReader) {
  const StagePageMapping page = StagePageMapping::create();
  EXPECT_NE(::ftruncate(page.fd(), 0), 0);
}

std::int64_t memory_of(const StagePageMapping& page) {
  struct stat status {};
  EXPECT_EQ(::fstat(page.fd(), &status), 0);
  return std::int64_t{status.st_blocks} * 512;
}

TEST(StagePage, HasMemoryForSpansOnlyWhileTheyAreWanted) {
  const StagePageMapping maker = StagePageMapping::create();
  const auto before = memory_of(maker);
  EXPECT_LT(before, static_cast<std::int64_t>(sizeof(StagePage) - sizeof(SpanRing) + 8192));
  maker.reserve_spans();
  EXPECT_GE(memory_of(maker), before + static_cast<std::int64_t>(sizeof(SpanRing)));
  const StagePageMapping stage = StagePageMapping::open(UniqueFd(::dup(maker.fd())));
  for (int i = 0; i < 100; ++i) add_span(stage.page().spans(), Span{});
  maker.release_spans();
  EXPECT_LE(memory_of(maker), before + 4096) << "how many there were is not forgotten";
  add_span(stage.page().spans(), Span{});  // a stage that has not heard of it
  SpanReader reader(maker.page().spans(), SpanReader::From::oldest);
  std::vector<Span> spans;
  reader.take_last(spans);
  EXPECT_EQ(spans.size(), 1u);
  EXPECT_EQ(reader.lost(), 100u);
}

TEST(StagePageView, SeesWhatTheStageWritesAndCannotWriteIt) {
  const StagePageMapping stage = StagePageMapping::create();
  UniqueFd fd = stage.open_read_only();
  void* writable = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  EXPECT_EQ(writable, MAP_FAILED);
  const StagePageView view = StagePageView::open(std::move(fd));
  stage.page().inputs[2].frames.store(5, std::memory_order_relaxed);
  EXPECT_EQ(view.page().inputs[2].frames.load(std::memory_order_relaxed), 5u);
  SpanReader reader(view.page().spans(), SpanReader::From::now);
  add_span(stage.page().spans(), Span{});
  std::vector<Span> spans;
  reader.take(spans);
  EXPECT_EQ(spans.size(), 1u);
}

TEST(StagePageView, RefusesWhatCouldBeShrunkUnderIt) {
  const StagePageMapping page = StagePageMapping::create();
  UniqueFd copy(::memfd_create("like-a-page", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(copy.get(), sizeof(StagePage)), 0);
  const std::uint32_t version = kStagePageVersion;
  ASSERT_EQ(::pwrite(copy.get(), &version, sizeof version, 0), static_cast<ssize_t>(sizeof version));
  EXPECT_THROW((void)StagePageView::open(std::move(copy)), Error);
  EXPECT_THROW((void)StagePageView::open(UniqueFd()), Error);
}

TEST(StagePage, IsRefusedWhenItsSizeIsWrong) {
  UniqueFd fd(::memfd_create("not-a-page", MFD_CLOEXEC));
  const std::uint32_t version = kStagePageVersion;
  ASSERT_EQ(::write(fd.get(), &version, sizeof version), static_cast<ssize_t>(sizeof version));
  try {
    (void)StagePageMapping::open(std::move(fd));
    FAIL() << "a page of 4 bytes was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::protocol) << error.what();
  }
}

TEST(StagePage, IsRefusedWhenItIsOfAnotherVersion) {
  const StagePageMapping page = StagePageMapping::create();
  page.page().version = 99;
  try {
    (void)StagePageMapping::open(UniqueFd(::dup(page.fd())));
    FAIL() << "a page of version 99 was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::version);
    EXPECT_NE(std::string(error.what()).find("99"), std::string::npos) << error.what();
  }
}

TEST(StagePage, IsRefusedWhenTheDescriptorIsNoMemory) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const UniqueFd write_end(ends[1]);
  EXPECT_THROW((void)StagePageMapping::open(UniqueFd(ends[0])), Error);
  EXPECT_THROW((void)StagePageMapping::open(UniqueFd()), Error);
}

TEST(StageState, HasANameForEachValue) {
  EXPECT_EQ(to_string(StageState::none), "none");
  EXPECT_EQ(to_string(StageState::failed), "failed");
  EXPECT_EQ(to_string(static_cast<StageState>(77)), "unknown");
}

}  // namespace
}  // namespace reel
