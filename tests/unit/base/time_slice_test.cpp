// Short time slices, of one thread for a while.
#include <reel/base/time_slice.hpp>

#include <algorithm>
#include <thread>

#include <gtest/gtest.h>
#include <reel_test/scheduling.hpp>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace reel {
namespace {

using reel_test::Scheduling;
using reel_test::scheduling;

template <typename Body>
void in_a_thread(Body&& body) {
  std::thread(body).join();
}

TEST(ShortSlices, AreOfTheThreadThatMadeThemAndOfNoOther) {
  const Scheduling ours = scheduling();
  const int nice = std::min(19, ours.nice + 1);
  in_a_thread([&] {
    ASSERT_EQ(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice), 0);
    const ShortSlices slices;
    const Scheduling theirs = scheduling();
    EXPECT_EQ(theirs.slice_ns, shortest_slice_ns(ours));
    EXPECT_EQ(theirs.nice, nice);
    EXPECT_EQ(theirs.policy, static_cast<std::uint32_t>(SCHED_OTHER));
  });
  EXPECT_EQ(scheduling().slice_ns, ours.slice_ns);
}

TEST(ShortSlices, AreAsTheyWereAfterIt) {
  const Scheduling ours = scheduling();
  in_a_thread([&] {
    {
      const ShortSlices slices;
      const ShortSlices nested;
    }
    EXPECT_EQ(scheduling().slice_ns, ours.slice_ns);
  });
}

TEST(ShortSlices, AreNotForAThreadThatHasAPolicyOfItsOwn) {
  in_a_thread([] {
    const sched_param none{};
    ASSERT_EQ(::sched_setscheduler(0, SCHED_BATCH, &none), 0);
    const Scheduling before = scheduling();
    const ShortSlices slices;
    EXPECT_EQ(scheduling().slice_ns, before.slice_ns);
    EXPECT_EQ(scheduling().policy, static_cast<std::uint32_t>(SCHED_BATCH));
  });
}

}  // namespace
}  // namespace reel
