// What a test may lack on this machine: it is skipped with the reason, or fails where REEL_REQUIRE_ALL_TESTS
// is set, as tests/run does for its main build.
#pragma once

#include <initializer_list>
#include <string>

#include <gtest/gtest.h>

namespace reel_test {

/// True when REEL_REQUIRE_ALL_TESTS is in the environment.
[[nodiscard]] bool all_tests_required();

/// Says which of these programs PATH does not lead to; empty when all are there.
[[nodiscard]] std::string missing_programs(std::initializer_list<const char*> programs);

}  // namespace reel_test

/// In a test or SetUp(): goes on when `missing` is empty; else it says what is missing, and the test ends.
#define REEL_NEEDS(missing)                                                 \
  do {                                                                      \
    const std::string reel_test_missing = (missing);                        \
    if (reel_test_missing.empty()) break;                                   \
    if (reel_test::all_tests_required())                                    \
      FAIL() << reel_test_missing << ", and REEL_REQUIRE_ALL_TESTS is set"; \
    GTEST_SKIP() << reel_test_missing;                                      \
  } while (false)
