#include <reel/base/error.hpp>

#include <cerrno>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace reel {
namespace {

TEST(Error, SaysWhereAndWhat) {
  const Error error(ErrorCode::bad_config, "no such key", "faces.yaml:12");
  EXPECT_STREQ(error.what(), "faces.yaml:12: no such key");
  EXPECT_EQ(error.message(), "no such key");
  EXPECT_EQ(error.where(), "faces.yaml:12");
  EXPECT_EQ(error.code(), ErrorCode::bad_config);
}

TEST(Error, SaysTheMessageAloneWhenItHasNoPlace) {
  EXPECT_STREQ(Error(ErrorCode::io, "it broke").what(), "it broke");
}

TEST(Error, HasANameOfItsOwnForEveryCode) {
  std::set<std::string_view> names;
  const int last = static_cast<int>(ErrorCode::internal);
  for (int code = 0; code <= last; ++code) names.insert(to_string(static_cast<ErrorCode>(code)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(last + 1));
  EXPECT_EQ(to_string(ErrorCode::not_found), "not_found");
  EXPECT_EQ(to_string(static_cast<ErrorCode>(99)), "internal");
}

TEST(ThrowErrno, NamesTheActionAndTheReason) {
  try {
    throw_errno(ENOENT, "open clip.mp4", "capture");
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "capture: open clip.mp4: No such file or directory");
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    return;
  }
  FAIL() << "nothing was thrown";
}

TEST(ThrowErrno, ChoosesTheCodeByTheReason) {
  for (const auto& [number, code] :
       {std::pair{ENOMEM, ErrorCode::no_memory}, std::pair{ENOSPC, ErrorCode::no_memory},
        std::pair{EACCES, ErrorCode::no_permission}, std::pair{EPERM, ErrorCode::no_permission},
        std::pair{EADDRINUSE, ErrorCode::in_use}, std::pair{EEXIST, ErrorCode::in_use},
        std::pair{ENOTDIR, ErrorCode::not_found}, std::pair{EBADF, ErrorCode::io},
        std::pair{-1, ErrorCode::io}}) {
    try {
      throw_errno(number, "try");
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << number;
    }
  }
}

}  // namespace
}  // namespace reel
