// Expectations on reel::Error: its code, and words that its message must contain.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>

#include <gmock/gmock.h>

#include <reel/base/error.hpp>

namespace reel_test {

/// Runs `action`, which must throw reel::Error of `code` whose text contains every one of `words`.
inline void expect_error(reel::ErrorCode code, std::initializer_list<std::string> words,
                         const std::function<void()>& action) {
  try {
    action();
    ADD_FAILURE() << "nothing was thrown where Error{" << reel::to_string(code) << "} was due";
  } catch (const reel::Error& error) {
    EXPECT_EQ(reel::to_string(error.code()), reel::to_string(code)) << error.what();
    for (const std::string& word : words) EXPECT_THAT(error.what(), ::testing::HasSubstr(word));
  }
}

}  // namespace reel_test
