// Short time slices: asked for by one thread, for itself.
#include <reel/base/time_slice.hpp>

#include <cstdint>
#include <thread>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace reel {
namespace {

// sched_attr of sched_setattr(2), its first version.
struct Attributes {
  std::uint32_t size = sizeof(Attributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0, deadline_ns = 0, period_ns = 0;
};

Attributes attributes() {
  Attributes found;
  EXPECT_EQ(::syscall(SYS_sched_getattr, 0, &found, sizeof found, 0), 0);
  return found;
}

template <typename Body>
void in_a_thread(Body&& body) {
  std::thread(body).join();
}

constexpr std::uint64_t kShortestNs = 100'000;

TEST(TimeSlice, IsTheShortestOfTheThreadThatAskedAndOfNoOther) {
  const Attributes ours = attributes();
  in_a_thread([&] {
    ASSERT_EQ(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 5), 0);
    ask_for_short_slices();
    const Attributes theirs = attributes();
    // A kernel that knows of no slices (before 6.12) says 0, and goes on saying it.
    EXPECT_EQ(theirs.runtime_ns, ours.runtime_ns == 0 ? 0 : kShortestNs);
    EXPECT_EQ(theirs.nice, 5);
    EXPECT_EQ(theirs.policy, static_cast<std::uint32_t>(SCHED_OTHER));
  });
  EXPECT_EQ(attributes().runtime_ns, ours.runtime_ns);
}

TEST(TimeSlice, StaysOfAThreadThatHasAPolicyOfItsOwn) {
  in_a_thread([] {
    const sched_param none{};
    ASSERT_EQ(::sched_setscheduler(0, SCHED_BATCH, &none), 0);
    const std::uint64_t before_ns = attributes().runtime_ns;
    ask_for_short_slices();
    EXPECT_EQ(attributes().runtime_ns, before_ns);
    EXPECT_EQ(attributes().policy, static_cast<std::uint32_t>(SCHED_BATCH));
  });
}

}  // namespace
}  // namespace reel
