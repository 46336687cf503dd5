#include "variables.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <reel/base/error.hpp>

namespace reel {
namespace {

std::optional<std::string> lookup(const std::string& name) {
  static const std::map<std::string, std::string> kSet{{"A", "one"}, {"EMPTY", ""}, {"B_2", "two"}};
  const auto found = kSet.find(name);
  if (found == kSet.end()) return std::nullopt;
  return found->second;
}

std::string expand(const std::string& text) {
  return expand_variables(text, lookup);
}

TEST(Variables, AreFilledIn) {
  EXPECT_EQ(expand("x${A}y${B_2}"), "xoneytwo");
  EXPECT_EQ(expand("no variables"), "no variables");
}

TEST(Variables, TakeTheirDefaultWhenUnsetOrEmpty) {
  EXPECT_EQ(expand("${NONE:-d}"), "d");
  EXPECT_EQ(expand("${EMPTY:-d}"), "d");
  EXPECT_EQ(expand("${A:-d}"), "one");
  EXPECT_EQ(expand("${NONE:-}"), "");
  EXPECT_EQ(expand("[${EMPTY}]"), "[]");
}

TEST(Variables, MayStandInADefault) {
  EXPECT_EQ(expand("${NONE:-<${A}>}"), "<one>");
  EXPECT_EQ(expand("${NONE:-${NEITHER:-last}}!"), "last!");
}

TEST(Variables, LeaveOtherDollarsAlone) {
  EXPECT_EQ(expand("$$"), "$");
  EXPECT_EQ(expand("$${A}"), "${A}");
  EXPECT_EQ(expand("5$ $A"), "5$ $A");
}

TEST(Variables, AreRefusedWhenMalformed) {
  for (const char* text : {"${}", "${1A}", "${A-b}", "${A B}", "${A", "${NONE:-${A}"})
    EXPECT_THROW(static_cast<void>(expand(text)), Error) << text;
}

TEST(Variables, AreRefusedWhenNotSetAndWithoutDefault) {
  try {
    static_cast<void>(expand("${NONE}"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("NONE is not set"));
  }
}

TEST(Variables, AreRefusedWhenNestedWithoutEnd) {
  std::string text = "x";
  for (int i = 0; i < 100; ++i) text = "${NONE:-" + text + "}";
  EXPECT_THROW(static_cast<void>(expand(text)), Error);
}

}  // namespace
}  // namespace reel
