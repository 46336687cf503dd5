// One time line for all tracks, across sources that begin anew and recorders that are started again.
#include <recorder/boot_id.hpp>
#include <recorder/gap_book.hpp>
#include <recorder/told_gaps.hpp>
#include <recorder/time_line.hpp>

#include <gmock/gmock.h>
#include <reel/base/clock.hpp>

namespace reel_test {
namespace {

using record::Gap;
using record::SpooledFrame;
using record::TimeLine;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMs;

SpooledFrame picture(std::size_t input, std::int64_t pts_ns, std::int64_t published_ns) {
  SpooledFrame made;
  made.input = input;
  made.format = std::make_shared<reel::Format>(reel::VideoFormat{reel::PixelFormat::GRAY8, 16, 16, {25, 1}});
  made.info.pts_ns = pts_ns;
  made.info.duration_ns = 40 * kMs;
  made.published_ns = published_ns;
  return made;
}

/// Of a camera whose running time 0 was at `offset_ns` of the clock.
SpooledFrame camera_picture(std::size_t input, std::int64_t pts_ns, std::int64_t offset_ns) {
  SpooledFrame made = picture(input, pts_ns, offset_ns + pts_ns + 5 * kMs);
  reel::Segment segment;
  segment.monotonic_offset_ns = offset_ns;
  made.segment = std::make_shared<reel::Segment>(segment);
  made.info.capture_ns = offset_ns + pts_ns;
  return made;
}

TEST(TimeLine, OfAFileGoesByItsOwnTimes) {
  TimeLine line(2, std::nullopt);
  EXPECT_EQ(line.place(picture(0, 0, 5 * kSecond)).time_ns, 0);
  EXPECT_EQ(line.place(picture(1, 40 * kMs, 5 * kSecond)).time_ns, 40 * kMs);
  EXPECT_EQ(line.place(picture(0, 9 * kSecond, 5 * kSecond + kMs)).time_ns, 9 * kSecond) << "read at once";
}

TEST(TimeLine, GoesOnWhereAFileBeginsAnew) {
  TimeLine line(2, std::nullopt);
  for (const std::size_t input : {0U, 1U})
    for (std::int64_t n = 0; n < 50; ++n) (void)line.place(picture(input, n * 40 * kMs, kSecond));
  EXPECT_EQ(line.place(picture(0, 0, 2 * kSecond)).time_ns, 2 * kSecond);
  EXPECT_EQ(line.place(picture(1, 0, 2 * kSecond)).time_ns, 2 * kSecond) << "both on one line";
}

TEST(TimeLine, OfCamerasIsTheClocks) {
  TimeLine line(2, std::nullopt);
  EXPECT_EQ(line.place(camera_picture(0, 0, 100 * kSecond)).time_ns, 0);
  EXPECT_EQ(line.place(camera_picture(1, 20 * kMs, 101 * kSecond)).time_ns, kSecond + 20 * kMs);
  EXPECT_EQ(line.place(camera_picture(0, 0, 110 * kSecond)).time_ns, 10 * kSecond) << "it was away";
}

TEST(TimeLine, GoesOnBehindTheSegmentBefore) {
  const std::int64_t now_ns = reel::monotonic_ns();
  const std::int64_t wall_ns = reel::realtime_ns() - now_ns;
  record::SegmentRecord last;
  last.end_ns = 20 * kSecond;
  const auto begin = [&] { return TimeLine(1, last).place(camera_picture(0, 0, now_ns)).time_ns; };
  EXPECT_GT(begin(), last.end_ns) << "nothing is known of its clocks";
  last.clocks.push_back({20 * kSecond, now_ns - 3 * kSecond, wall_ns + now_ns - 3 * kSecond});
  EXPECT_NEAR(static_cast<double>(begin()), 23e9, 50e6) << "3 s later";
  last.clocks[0].monotonic_ns = now_ns + 3600 * kSecond;
  EXPECT_NEAR(static_cast<double>(begin()), 23e9, 50e6) << "of another boot: by the wall clock";
  last.clocks[0].utc_ns += 3600 * kSecond;
  EXPECT_GT(begin(), last.end_ns) << "which was set back meanwhile";
  last.boot = record::boot_id();
  last.clocks[0] = {20 * kSecond, now_ns - 3 * kSecond, wall_ns + now_ns - 7200 * kSecond};
  EXPECT_NEAR(static_cast<double>(begin()), 23e9, 50e6) << "of this one, and the wall clock was stepped";
  last.boot = "another";
  last.clocks[0] = {20 * kSecond, now_ns - 3 * kSecond, wall_ns + now_ns - 5 * kSecond};
  EXPECT_NEAR(static_cast<double>(begin()), 25e9, 50e6) << "of another that began at almost the same time";
}

TEST(GapBook, JoinsWhatIsOneGap) {
  record::GapBook book;
  book.add({"a", 0, 10, 2, "full"});
  book.add({"b", 0, 10, 1, "full"});
  book.add({"a", 10, 20, 3, "full"});
  book.add({"a", 20, 30, 1, "else"});
  book.add({"a", 40, 50, 1, "else"});
  EXPECT_EQ(book.before(100).size(), 4U);
  const std::vector<Gap> first = book.take_before(5);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].frames, 5U);
  EXPECT_EQ(first[0].end_ns, 20);
  EXPECT_EQ(book.take_before(100).size(), 2U);
  EXPECT_TRUE(book.take_before(100).empty());
}

TEST(GapBook, IsAskedForEachWithTheFrameBehindIt) {
  record::GapBook copy;
  record::GapBook book(&copy);
  book.add({"a", 10, 20, 2, "full"});
  book.add({"b", 10, 20, 1, "full"});
  book.add({"a", 20, 30, 3, "full"});
  EXPECT_TRUE(book.untold("a", 9).empty()) << "a frame before it";
  const std::vector<Gap> untold = book.untold("a", 20);
  ASSERT_EQ(untold.size(), 1U);
  EXPECT_EQ(untold[0].frames, 5U);
  EXPECT_TRUE(book.untold("a", 100).empty()) << "twice";
  EXPECT_EQ(book.before(100).size(), 2U) << "it is in no manifest yet";
  EXPECT_EQ(copy.take_before(100).size(), 2U);
  EXPECT_TRUE(copy.untold("b", 100).empty()) << "a manifest tells of it";
  EXPECT_EQ(book.untold("b", 100).size(), 1U);
}

TEST(GapBook, JoinsPicturesInTheOrderOfTheirDecoding) {
  record::GapBook book;
  book.add({"a", 30, 40, 1, "full"});
  book.add({"a", 10, 20, 1, "full"});
  book.add({"a", 20, 30, 1, "full"});
  for (const std::vector<Gap>& gaps : {book.before(100), book.untold("a", 40)}) {
    ASSERT_EQ(gaps.size(), 1U);
    EXPECT_EQ(gaps[0].start_ns, 10);
    EXPECT_EQ(gaps[0].end_ns, 40);
    EXPECT_EQ(gaps[0].frames, 3U);
  }
}

TEST(ToldGaps, HaveEachOnce) {
  record::ToldGaps told;
  told.add({{"a", 10, 20, 2, "full"}, {"b", 10, 20, 2, "full"}});
  told.add({{"a", 10, 30'000'000, 5, "full"}, {"a", 10, 20, 2, "else"}});
  told.add({{"a", 10, 20, 2, "full"}, {"a", 60'000'000, 70'000'000, 4, "full"}});
  EXPECT_TRUE(told.has({"a", 10, 20, 2, "full"}));
  EXPECT_FALSE(told.has({"c", 10, 20, 2, "full"}));
  EXPECT_FALSE(told.has({"a", 10, 50'000'000, 9, "full"}));
  EXPECT_EQ(told.frames_from("a", 10), 11U);
  EXPECT_EQ(told.frames_from("a", 50'000'000), 4U);
  EXPECT_FALSE(told.take({"a", 10, 20, 2, "full"})) << "a part of another";
  EXPECT_TRUE(told.take({"a", 10, 30'000'000, 5, "full"}));
  EXPECT_FALSE(told.take({"a", 10, 30'000'000, 5, "full"})) << "twice";
}

}  // namespace
}  // namespace reel_test
