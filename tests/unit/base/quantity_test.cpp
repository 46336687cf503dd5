#include <reel/base/quantity.hpp>

#include <gtest/gtest.h>

namespace reel {
namespace {

TEST(Quantity, ReadsDurations) {
  EXPECT_EQ(duration_from("2s"), 2'000'000'000);
  EXPECT_EQ(duration_from("1.5"), 1'500'000'000);
  EXPECT_EQ(duration_from("20 us"), 20'000);
  EXPECT_EQ(duration_from("500ms"), 500'000'000);
  EXPECT_EQ(duration_from("1.5min"), 90'000'000'000);
  EXPECT_EQ(duration_from("1h"), 3'600'000'000'000);
  EXPECT_EQ(duration_from("30d"), 30LL * 86'400'000'000'000);
  EXPECT_EQ(duration_from("0"), 0);
  for (const char* none : {"", "s", "-1s", "1m", "1e3", "1 s ", "nan", "inf", "200000d", "0x10", "1,5s"})
    EXPECT_EQ(duration_from(none), std::nullopt) << none;
}

TEST(Quantity, ReadsSizes) {
  EXPECT_EQ(size_from("4096"), 4096u);
  EXPECT_EQ(size_from("4 kB"), 4000u);
  EXPECT_EQ(size_from("1.5MiB"), 1572864u);
  EXPECT_EQ(size_from("2TB"), 2'000'000'000'000u);
  for (const char* none : {"", "MB", "1.5", "-1", "1mb", "1 Mb", "1e3", "100000TB"})
    EXPECT_EQ(size_from(none), std::nullopt) << none;
}

TEST(Quantity, WritesDurations) {
  EXPECT_EQ(duration_text(0), "0us");
  EXPECT_EQ(duration_text(20'000'000), "20ms");
  EXPECT_EQ(duration_text(1'500'000'000), "1.5s");
  EXPECT_EQ(duration_text(60'000'000'000), "1min");
  EXPECT_EQ(duration_text(-61'000'000'000), "-1min 1s");
  EXPECT_EQ(duration_text(3'720'000'000'000), "1h 2min");
  EXPECT_EQ(duration_text(30LL * 86'400'000'000'000), "30d");
}

}  // namespace
}  // namespace reel
