#include <reel/base/time_slice.hpp>

#include <cstdint>

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace reel {
namespace {

// struct sched_attr of sched_setattr(2), its first version: the C library has none before 2.41.
struct Attributes {
  std::uint32_t size = sizeof(Attributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0, deadline_ns = 0, period_ns = 0;
};
static_assert(sizeof(Attributes) == 48);

constexpr std::uint64_t kShortestNs = 100'000;  // the kernel raises less to it

}  // namespace

void ask_for_short_slices() noexcept {
  Attributes attributes;
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  if (attributes.policy != SCHED_OTHER || attributes.runtime_ns <= kShortestNs) return;
  attributes.runtime_ns = kShortestNs;
  (void)::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace reel
