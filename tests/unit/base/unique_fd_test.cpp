#include <reel/base/unique_fd.hpp>

#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace reel {
namespace {

int opened() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}
bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) != -1;
}

TEST(UniqueFd, ClosesWhatItOwns) {
  const int number = opened();
  {
    const UniqueFd fd(number);
    EXPECT_TRUE(fd);
    EXPECT_EQ(fd.get(), number);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(UniqueFd, OwnsNothingByDefault) {
  UniqueFd fd;
  EXPECT_FALSE(fd);
  EXPECT_EQ(fd.get(), -1);
  fd.reset();
}

TEST(UniqueFd, HandsOverWhenMoved) {
  const int number = opened();
  UniqueFd first(number);
  UniqueFd second(std::move(first));
  EXPECT_FALSE(first);  // NOLINT: what a move leaves is what is tested
  EXPECT_EQ(second.get(), number);

  const int other = opened();
  UniqueFd third(other);
  third = std::move(second);
  EXPECT_FALSE(is_open(other));
  EXPECT_EQ(third.get(), number);
  UniqueFd& same = third;
  third = std::move(same);
  EXPECT_TRUE(is_open(number));
}

TEST(UniqueFd, LetsGoWithoutClosing) {
  UniqueFd fd(opened());
  const int number = fd.release();
  EXPECT_FALSE(fd);
  EXPECT_TRUE(is_open(number));
  ::close(number);
}

TEST(UniqueFd, ClosesTheOldOneWhenReset) {
  const int first = opened(), second = opened();
  UniqueFd fd(first);
  fd.reset(second);
  EXPECT_FALSE(is_open(first));
  EXPECT_TRUE(is_open(second));
  fd.reset();
  EXPECT_FALSE(is_open(second));
}

}  // namespace
}  // namespace reel
