#include "backends.hpp"
#include "huge_pages.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <boost/interprocess/mapped_region.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/shm/segment.hpp>

namespace reel {

namespace {

namespace bip = boost::interprocess;

constexpr std::size_t kMaxName = 200;
constexpr int kAttempts = 3;  // to map where huge pages may lie

/// What Boost.Interprocess maps: any open descriptor, whatever made it.
class OpenDescriptor {
 public:
  explicit OpenDescriptor(int fd) : fd_(fd) {}
  [[nodiscard]] bip::mapping_handle_t get_mapping_handle() const noexcept {
    return bip::ipcdetail::mapping_handle_from_file_handle(fd_);
  }

 private:
  int fd_;
};

class MappedSegment final : public SharedSegment {
 public:
  explicit MappedSegment(bip::mapped_region&& region) : region_(std::move(region)) {}

  std::byte* data() noexcept override { return static_cast<std::byte*>(region_.get_address()); }
  std::size_t size() const noexcept override { return region_.get_size(); }

 private:
  bip::mapped_region region_;
};

std::string address_space_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    return fmt::format(
        "the address space of this process is limited to {} (RLIMIT_AS): raise it with ulimit -v",
        bytes_text(limit.rlim_cur));
  }
  return "the system refuses more mappings to this process: see vm.max_map_count and vm.overcommit_memory, "
         "or use "
         "fewer or smaller slots";
}

[[noreturn]] void throw_mapping_error(int errno_value, std::size_t bytes, bool writable,
                                      const std::string& what) {
  switch (errno_value) {
    case ENOMEM:
      throw Error(ErrorCode::no_memory,
                  fmt::format("{}: cannot map {}: {}", what, bytes_text(bytes), address_space_limit()));
    case EACCES:
    case EPERM:
      throw Error(ErrorCode::protocol, fmt::format("{}: its descriptor does not allow a {} mapping", what,
                                                   writable ? "writable" : "readable"));
    case ENODEV:
    case EBADF:
    case EINVAL: throw Error(ErrorCode::protocol, fmt::format("{}: its descriptor cannot be mapped", what));
    default: throw_errno(errno_value, fmt::format("{}: cannot map {}", what, bytes_text(bytes)));
  }
}

bip::mapped_region map_aligned(int fd, std::size_t bytes, bip::mode_t access) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const void* hint = huge_page_hint(bytes);
    if (hint == nullptr) break;
    try {
      return {OpenDescriptor(fd), access, 0, bytes, hint, MAP_POPULATE | MAP_FIXED_NOREPLACE};
    } catch (const bip::interprocess_exception& failure) {
      // Another thread's mapping took the place. Kernels before 4.17 give another one, which busy_error says.
      if (failure.get_native_error() != EEXIST && failure.get_error_code() != bip::busy_error) throw;
    }
  }
  return {OpenDescriptor(fd), access, 0, bytes, nullptr, MAP_POPULATE};
}

}  // namespace

void check_segment_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  const bool only_dots = std::all_of(name.begin(), name.end(), [](char c) { return c == '.'; });
  if (name.size() <= kMaxName && !only_dots && std::all_of(name.begin(), name.end(), allowed)) return;
  std::string shown;
  for (const char c : name.substr(0, 40)) shown += c >= ' ' && c <= '~' ? c : '?';
  throw Error(
      ErrorCode::bad_argument,
      fmt::format(
          "segment name '{}{}' of {} characters: a name is 1 to {} of A-Z a-z 0-9 . _ - and not dots alone",
          shown, name.size() > 40 ? "..." : "", name.size(), kMaxName));
}

std::size_t whole_pages(const std::string& name, std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());
  if (bytes == 0 || bytes > kMost - page) {
    throw Error(ErrorCode::bad_argument, fmt::format("segment '{}' of {} bytes: a segment has 1 to {} bytes",
                                                     name, bytes, kMost - page));
  }
  return (bytes + page - 1) / page * page;
}

std::unique_ptr<SharedSegment> map_descriptor(int fd, std::size_t bytes, bool writable,
                                              const std::string& what) {
  try {
    bip::mapped_region region = map_aligned(fd, bytes, writable ? bip::read_write : bip::read_only);
    // A forked child would keep the pages, and with them the pins, of a parent that died.
    if (::madvise(region.get_address(), bytes, MADV_DONTFORK) != 0) {
      throw_errno(errno, fmt::format("{}: cannot keep its mapping from child processes", what));
    }
    return std::make_unique<MappedSegment>(std::move(region));
  } catch (const bip::interprocess_exception& failure) {
    throw_mapping_error(failure.get_native_error(), bytes, writable, what);
  }
}

void check_descriptor_size(int fd, std::size_t bytes, const std::string& what) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    throw Error(ErrorCode::protocol, fmt::format("{}: descriptor {} is not open", what, fd));
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::protocol,
                fmt::format("{}: its descriptor is not memory (file mode {:o})", what, status.st_mode));
  }
  if (bytes == 0 || static_cast<std::uint64_t>(status.st_size) != bytes) {
    throw Error(ErrorCode::protocol,
                fmt::format("{}: it measures {} bytes, not the {} announced", what, status.st_size, bytes));
  }
}

UniqueFd duplicate(int fd, const std::string& what) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) throw_errno(errno, fmt::format("{}: cannot duplicate its descriptor", what));
  return copy;
}

}  // namespace reel
