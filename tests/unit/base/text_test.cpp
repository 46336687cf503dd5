#include <reel/base/text.hpp>

#include <gtest/gtest.h>

namespace reel {
namespace {

using Names = std::vector<std::string>;

TEST(NearestName, FindsALikelySlip) {
  const Names names{"opencv.blur", "opencv.faces", "display", "audio.level"};
  EXPECT_EQ(nearest_name("opencv.face", names), "opencv.faces");
  EXPECT_EQ(nearest_name("dipslay", names), "display");
  EXPECT_EQ(nearest_name("Display", names), "display");
  EXPECT_EQ(nearest_name("audio_level", names), "audio.level");
}

TEST(NearestName, PrefersTheNearest) {
  EXPECT_EQ(nearest_name("slots", Names{"slut", "slot", "spots"}), "slot");
  EXPECT_EQ(nearest_name("slot", Names{"slit", "slot"}), "slot");
}

TEST(NearestName, SuggestsNothingThatIsFar) {
  EXPECT_EQ(nearest_name("display", Names{"capture", "record"}), std::nullopt);
  EXPECT_EQ(nearest_name("ab", Names{"xy"}), std::nullopt);
  EXPECT_EQ(nearest_name("", Names{"in", "out"}), std::nullopt);
  EXPECT_EQ(nearest_name("in", Names{""}), std::nullopt);
  EXPECT_EQ(nearest_name("word", {}), std::nullopt);
}

TEST(NearestName, CountsSwappedNeighboursOnce) {
  EXPECT_EQ(nearest_name("abdcfe", Names{"abcdef"}), "abcdef");
}

TEST(NearestName, LooksAtNoMoreThanItNeedsOfALongWord) {
  EXPECT_EQ(nearest_name(std::string(100'000'000, 'x'), Names{"display", "capture"}), std::nullopt);
}

TEST(Printable, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable(std::string_view("a\x1b[31m\0b\x7f\r", 10)), "a\\x1b[31m\\x00b\\x7f\\x0d");
  EXPECT_EQ(printable("two\nlines\tof \xc3\xa4"), "two\nlines\tof \xc3\xa4");
}

TEST(JoinOr, JoinsForASentence) {
  EXPECT_EQ(join_or({}), "");
  EXPECT_EQ(join_or(Names{"a"}), "a");
  EXPECT_EQ(join_or(Names{"a", "b"}), "a or b");
  EXPECT_EQ(join_or(Names{"a", "b", "c"}), "a, b or c");
}

TEST(BytesText, UsesDecimalUnitsAndTwoFiguresOrMore) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(7), "7 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1000), "1.0 kB");
  EXPECT_EQ(bytes_text(12'345), "12 kB");
  EXPECT_EQ(bytes_text(6'220'800), "6.2 MB");
  EXPECT_EQ(bytes_text(64'000'000'000), "64 GB");
  EXPECT_EQ(bytes_text(123'456'000'000'000), "123 TB");
  EXPECT_EQ(bytes_text(18'446'744'073'709'551'615u), "18446744 TB");
}

TEST(BytesText, RoundsIntoTheNextUnit) {
  EXPECT_EQ(bytes_text(9'949), "9.9 kB");
  EXPECT_EQ(bytes_text(9'960), "10 kB");
  EXPECT_EQ(bytes_text(999'499), "999 kB");
  EXPECT_EQ(bytes_text(999'600), "1.0 MB");
}

}  // namespace
}  // namespace reel
