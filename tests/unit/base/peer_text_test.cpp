#include <string>

#include <gmock/gmock.h>
#include <unistd.h>

#include <reel/base/peer_text.hpp>

namespace {

using testing::HasSubstr;

TEST(PeerText, ProcessOfThisPidNamespaceIsItsNumber) {
  EXPECT_EQ(reel::process_text(12), "process 12");
  EXPECT_EQ(reel::pid_text(12), "pid 12");
}

TEST(PeerText, ProcessThatTheKernelGivesAsZeroIsOfAnotherPidNamespace) {
  EXPECT_THAT(reel::process_text(0), HasSubstr("another PID namespace"));
  EXPECT_THAT(reel::pid_text(0), HasSubstr("another PID namespace"));
}

TEST(PeerText, OwnMarkIsOfHere) {
  EXPECT_TRUE(reel::marked_here(reel::own_mark()));
  EXPECT_EQ(reel::marked_text(reel::own_mark()), "process " + std::to_string(::getpid()));
}

TEST(PeerText, MarkOfAnotherPidNamespaceNamesItsHost) {
  EXPECT_FALSE(reel::marked_here("7 1 camera"));
  EXPECT_EQ(reel::marked_text("7 1 camera"), "process 7 of another PID namespace (host \"camera\")");
}

TEST(PeerText, MarkThatHoldsSomethingElseIsReadAsFarAsItGoes) {
  EXPECT_EQ(reel::marked_text("7"), "process 7");
  EXPECT_EQ(reel::marked_text("7 x"), "process 7");
  EXPECT_EQ(reel::marked_text(""), "an unknown process");
  EXPECT_EQ(reel::marked_text("nobody"), "an unknown process");
  EXPECT_EQ(reel::marked_text("7 1 \x1b[2J"), "process 7 of another PID namespace (host \"\\x1b[2J\")");
}

TEST(PeerText, UserOfAFullUserNamespaceIsItsNumber) {
  EXPECT_EQ(reel::user_text(1000), "user 1000");
}

}  // namespace
