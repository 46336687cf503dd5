#include <cstdlib>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <reel_test/notify_socket.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/scratch_dir.hpp>
#include <unistd.h>

#include <reel/service/notify.hpp>

namespace reel {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Variables of this process, until it is destroyed.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST(Notify, TellsALine) {
  const reel_test::ScratchDir scratch;
  reel_test::NotifySocket socket(scratch.file("notify"));
  const Variable variable("NOTIFY_SOCKET", socket.address());
  ServiceNotifier notifier;
  ASSERT_TRUE(notifier.listened_to());
  EXPECT_TRUE(notifier.tell("READY=1\nMAINPID=7"));
  EXPECT_THAT(socket.lines(), ElementsAre("READY=1", "MAINPID=7"));
}

TEST(Notify, TellsAnAbstractSocket) {
  reel_test::NotifySocket socket("@" + reel_test::unique_name("reel-notify"));
  const Variable variable("NOTIFY_SOCKET", socket.address());
  ServiceNotifier notifier;
  EXPECT_TRUE(notifier.tell("WATCHDOG=1"));
  EXPECT_THAT(socket.lines(), ElementsAre("WATCHDOG=1"));
}

TEST(Notify, TellsAStatusOnceAndInOneLine) {
  const reel_test::ScratchDir scratch;
  reel_test::NotifySocket socket(scratch.file("notify"));
  const Variable variable("NOTIFY_SOCKET", socket.address());
  ServiceNotifier notifier;
  notifier.tell_status("well\nREADY=0");
  notifier.tell_status("well\nREADY=0");
  notifier.tell_status("ill");
  EXPECT_THAT(socket.lines(), ElementsAre("STATUS=well READY=0", "STATUS=ill"));
}

TEST(Notify, TellsNobodyWhereNobodyListens) {
  ServiceNotifier nobody;
  EXPECT_FALSE(nobody.listened_to());
  EXPECT_TRUE(nobody.tell("READY=1"));
  for (const std::string& address :
       {std::string("relative"), std::string("@"), "/" + std::string(108, 'x')}) {
    const Variable variable("NOTIFY_SOCKET", address);
    ServiceNotifier notifier;
    EXPECT_FALSE(notifier.listened_to()) << address;
    EXPECT_TRUE(notifier.tell("READY=1"));
  }
  const Variable variable("NOTIFY_SOCKET", "/nonexistent/notify");
  ServiceNotifier notifier;
  EXPECT_TRUE(notifier.tell("READY=1"));
}

TEST(Notify, SaysWhatNobodyHadTimeForInsteadOfWaiting) {
  const reel_test::ScratchDir scratch;
  reel_test::NotifySocket socket(scratch.file("notify"));
  const Variable variable("NOTIFY_SOCKET", socket.address());
  ServiceNotifier notifier;
  std::size_t told = 0;
  while (told < 1'000'000 && notifier.tell("WATCHDOG=1")) ++told;
  notifier.tell_status("well");
  EXPECT_EQ(socket.count("WATCHDOG=1"), told);
  notifier.tell_status("well");
  EXPECT_EQ(socket.count("STATUS=well"), 1u) << "the first one found no place";
  EXPECT_TRUE(notifier.tell("WATCHDOG=1"));
}

TEST(Notify, KnowsTheWatchdogOfThisProcess) {
  const Variable socket("NOTIFY_SOCKET", "@" + reel_test::unique_name("reel-notify"));
  EXPECT_EQ(ServiceNotifier().watchdog_ms(), std::nullopt);
  const Variable limit("WATCHDOG_USEC", "3000000");
  EXPECT_EQ(ServiceNotifier().watchdog_ms(), 1500);
  {
    const Variable whose("WATCHDOG_PID", std::to_string(::getpid()));
    EXPECT_EQ(ServiceNotifier().watchdog_ms(), 1500);
  }
  const Variable whose("WATCHDOG_PID", "1");
  EXPECT_EQ(ServiceNotifier().watchdog_ms(), std::nullopt);
}

TEST(Notify, PassesOverAWatchdogThatIsNoTime) {
  const Variable socket("NOTIFY_SOCKET", "@" + reel_test::unique_name("reel-notify"));
  for (const char* text : {"", "0", "-5", "soon", "99999999999999999999"}) {
    const Variable limit("WATCHDOG_USEC", text);
    EXPECT_EQ(ServiceNotifier().watchdog_ms(), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace reel
