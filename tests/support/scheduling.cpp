#include <reel_test/scheduling.hpp>

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace reel_test {

Scheduling scheduling() {
  // sched_attr of sched_getattr(2), its first version.
  struct {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime_ns, deadline_ns, period_ns;
  } found{};
  EXPECT_EQ(::syscall(SYS_sched_getattr, 0, &found, sizeof found, 0), 0);
  return {found.policy, found.nice, found.runtime_ns};
}

}  // namespace reel_test
