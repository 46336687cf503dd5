#include "line_splitter.hpp"

#include <gtest/gtest.h>

namespace reel {
namespace {

struct Lines {
  LineSplitter splitter;
  std::vector<std::string> lines;
  LineSplitter::Sink sink = [this](std::string_view line) { lines.emplace_back(line); };
};

TEST(LineSplitter, PutsPiecesTogether) {
  Lines got;
  got.splitter.add("one\ntw", got.sink);
  got.splitter.add("o\n\nthree", got.sink);
  EXPECT_EQ(got.lines, (std::vector<std::string>{"one", "two", ""}));
  got.splitter.finish(got.sink);
  EXPECT_EQ(got.lines.back(), "three");
  got.splitter.finish(got.sink);
  EXPECT_EQ(got.lines.size(), 4u);
}

TEST(LineSplitter, CutsALineThatNeverEnds) {
  Lines got;
  const std::string endless(3 * LineSplitter::kLongestLine + 5, 'x');
  for (std::size_t i = 0; i < endless.size(); i += 1000)
    got.splitter.add(std::string_view(endless).substr(i, 1000), got.sink);
  got.splitter.finish(got.sink);
  ASSERT_EQ(got.lines.size(), 4u);
  EXPECT_EQ(got.lines[0].size(), LineSplitter::kLongestLine);
  EXPECT_EQ(got.lines[3].size(), 5u);
}

TEST(LineSplitter, TakesALineOfExactlyTheLongestLength) {
  Lines got;
  got.splitter.add(std::string(LineSplitter::kLongestLine, 'x') + "\ny\n", got.sink);
  EXPECT_EQ(got.lines.size(), 2u);
  EXPECT_EQ(got.lines.back(), "y");
}

}  // namespace
}  // namespace reel
