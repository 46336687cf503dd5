// What of the operating system Reel stands on.
#include "finding.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/base/unique_fd.hpp>
#include <reel/channel/runtime_dir.hpp>
#include <reel/shm/memory_limits.hpp>

namespace {

using Grade = Finding::Grade;

constexpr std::uint64_t kMega = 1'000'000;
constexpr std::uint64_t kLittleMemory = 500 * kMega;  // a dozen 4K frames and the programs
constexpr std::uint64_t kLittleShm = 256 * kMega;     // Docker gives 64 MB
constexpr rlim_t kFewDescriptors = 1024;
constexpr const char* kSys = "/sys/kernel";
constexpr const char* kShmemHuge = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010  // Linux 5.1
#endif

Finding sealed_memory() {
  const reel::UniqueFd fd(::memfd_create("reel-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd)
    return {Grade::fault, "sealed memory", fmt::format("memfd_create: {}", std::strerror(errno)),
            "let this sandbox or container make them: its system call filter (seccomp) refuses memfd_create"};
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
    return {Grade::fault, "sealed memory", fmt::format("memfds cannot be sealed: {}", std::strerror(errno)),
            "let this sandbox or container seal them (fcntl F_ADD_SEALS), on a kernel of 5.1 or later"};
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE) != 0)
    return {Grade::lacking, "sealed memory", "frames cannot be sealed against writing (F_SEAL_FUTURE_WRITE)",
            "use a kernel of 5.1 or later: until then readers are kept from writing by read-only descriptors "
            "alone"};
  return {Grade::fine, "sealed memory", "frames are sealed: readers cannot write them", ""};
}

Finding huge_pages() {
  std::ifstream file(kShmemHuge);
  std::string setting;
  std::getline(file, setting);
  utsname system{};
  int major = 0, minor = 0;
  if (::uname(&system) == 0) (void)std::sscanf(system.release, "%d.%d", &major, &minor);
  const bool old = major < 6 || (major == 6 && minor < 1);
  constexpr const char* kWorth = "with them large frames are written a third faster";
  if (setting.empty() && ::access(kSys, F_OK) != 0)
    return {Grade::lacking, "huge pages",
            fmt::format("/sys is not mounted, nothing tells of them; {}", kWorth),
            as_root("mount -t sysfs sysfs /sys")};
  if (setting.empty())
    return {Grade::lacking, "huge pages", fmt::format("{} is not there; {}", kShmemHuge, kWorth),
            "use a kernel with transparent huge pages (CONFIG_TRANSPARENT_HUGEPAGE)"};
  if (setting.find("[deny]") != std::string::npos)
    return {
        Grade::lacking, "huge pages", fmt::format("denied for shared memory; {}", kWorth),
        "echo never | " + as_root(fmt::format("tee {}", kShmemHuge)) + "  # only those that are asked for"};
  if (old && setting.find("[always]") == std::string::npos)
    return {Grade::lacking, "huge pages",
            fmt::format("Linux {}.{} makes none of shared memory when asked; {}", major, minor, kWorth),
            "use a kernel of 6.1 or later"};
  return {Grade::fine, "huge pages", "made of large rings", ""};
}

Finding short_slices(int major, int minor) {
  if (major > 6 || (major == 6 && minor >= 12))
    return {Grade::fine, "time slices", "short for threads that wait for frames", ""};
  return {Grade::lacking, "time slices", fmt::format("Linux {}.{} cannot shorten them", major, minor),
          "use a kernel of 6.12 or later where the 99th percentile of latencies matters"};
}

// What memory of a name lies on: only streams that ask for it need it.
Finding named_memory() {
  constexpr const char* kThing = "/dev/shm";
  const std::string mount = as_root("mount -t tmpfs -o size=1G tmpfs /dev/shm");
  struct statfs files {};
  if (::statfs(kThing, &files) != 0)
    return {Grade::lacking, kThing, "is not there: no stream can have `memory: posix`",
            as_root("mkdir /dev/shm") + " && " + mount};
  if (files.f_type != TMPFS_MAGIC)
    return {Grade::lacking, kThing, "is no tmpfs: streams of `memory: posix` would be written to a disk",
            mount};
  const std::uint64_t free_bytes =
      static_cast<std::uint64_t>(files.f_bavail) * static_cast<std::uint64_t>(files.f_bsize);
  const bool little = free_bytes < kLittleShm;
  return {little ? Grade::lacking : Grade::fine, kThing,
          fmt::format("{} free; for streams of `memory: posix` alone", reel::bytes_text(free_bytes)),
          little ? as_root("mount -o remount,size=1G /dev/shm") + "  # a container: docker run --shm-size=1g"
                 : ""};
}

// True when a shell may do so: raising what was set from above takes a right that root in a container lacks.
bool may_raise(__rlimit_resource resource, const rlimit& now, rlim_t wanted) {
  const rlimit raised{wanted, std::max(now.rlim_max, wanted)};
  if (::setrlimit(resource, &raised) != 0) return false;
  ::setrlimit(resource, &now);
  return true;
}

std::string raised_by(const char* typed, bool possible, const char* setting) {
  if (possible) return typed;
  return fmt::format("have whoever starts this shell allow more: {}", setting);
}

void look_at_limits(Findings& findings) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < kFewDescriptors)
    findings.push_back(
        {Grade::lacking, "descriptors",
         fmt::format("{} for each process: each reader of a stream takes a few of its writer's",
                     files.rlim_cur),
         raised_by("ulimit -n 1024", may_raise(RLIMIT_NOFILE, files, kFewDescriptors),
                   "LimitNOFILE=1024 of a systemd unit, docker run --ulimit nofile=1024, limits.conf(5)")});
  rlimit space{};
  if (::getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY)
    findings.push_back(
        {Grade::lacking, "address space",
         fmt::format("{} for each process: readers map whole rings", reel::bytes_text(space.rlim_cur)),
         raised_by("ulimit -v unlimited", may_raise(RLIMIT_AS, space, RLIM_INFINITY),
                   "LimitAS=infinity of a systemd unit, limits.conf(5)")});
}

}  // namespace

void look_at_kernel(Findings& findings) {
  utsname system{};
  int major = 0, minor = 0;
  if (::uname(&system) == 0) (void)std::sscanf(system.release, "%d.%d", &major, &minor);
  findings.push_back(
      {Grade::fine, "kernel", fmt::format("{} {} ({})", system.sysname, system.release, system.machine), ""});
  findings.push_back(sealed_memory());
  findings.push_back(huge_pages());
  findings.push_back(short_slices(major, minor));
  if (::access("/proc/self/fd", R_OK) != 0)
    findings.push_back({Grade::lacking, "/proc",
                        "is not mounted: peers get writable descriptors, which the seals alone guard",
                        as_root("mount -t proc proc /proc")});
}

void look_at_memory(Findings& findings) {
  if (const auto room = reel::memory_room()) {
    const bool little = room->bytes < kLittleMemory;
    findings.push_back(
        {little ? Grade::lacking : Grade::fine, "memory",
         fmt::format("{} can be reserved, within {}", reel::bytes_text(room->bytes), room->limit),
         little ? fmt::format("{}, or use fewer or smaller slots: a ring of 24 frames of 4K is 300 MB",
                              room->limit.starts_with("memory cgroup")
                                  ? "raise that limit (docker --memory, systemd MemoryMax)"
                                  : "end other programs")
                : ""});
  }
  findings.push_back(named_memory());
  look_at_limits(findings);
}

namespace {

// Directories that are there and not looked into; what is wrong with them, and what to do, they say
// themselves.
void look_at_others_streams(Findings& findings, const std::string& told) {
  try {
    for (const reel::RuntimeDir& directory : reel::runtime_dirs()) {
      const bool refused = directory.state == reel::RuntimeDir::State::refused;
      if (!refused || told.find("\"" + directory.path + "\"") != std::string::npos) continue;
      findings.push_back({Grade::lacking, "streams", fmt::format("none of {} are seen", directory.path),
                          directory.objection});
    }
  } catch (const reel::Error&) {
    // Told of the runtime directory already.
  }
}

}  // namespace

void look_at_directories(Findings& findings) {
  std::string fault;
  try {
    findings.push_back({Grade::fine, "runtime directory", reel::writable_runtime_dir(), ""});
  } catch (const reel::Error& error) {
    fault = error.what();
    findings.push_back({Grade::fault, "runtime directory", fault,
                        "export REEL_RUNTIME_DIR=$(mktemp -d)  # the same for writers, readers and tools"});
  }
  look_at_others_streams(findings, fault);
}
