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

// Of the calling thread; false where the kernel or the policy knows no slices.
bool look(Attributes& attributes) noexcept {
  return ::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) == 0 &&
         attributes.policy == SCHED_OTHER && attributes.runtime_ns != 0;
}

bool set_slices(Attributes attributes, std::uint64_t runtime_ns) noexcept {
  attributes.runtime_ns = runtime_ns;
  return ::syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

}  // namespace

ShortSlices::ShortSlices() noexcept {
  Attributes now;
  if (look(now) && now.runtime_ns > kShortestNs && set_slices(now, kShortestNs)) before_ns_ = now.runtime_ns;
}

ShortSlices::~ShortSlices() {
  Attributes now;
  if (before_ns_ != 0 && look(now)) (void)set_slices(now, before_ns_);
}

}  // namespace reel
