// Named memory: shm_open(3). Its maker holds a lock on it (flock) for as long as it lives, which is how
// sweep() knows what a dead process left behind. It has no seals: whoever may open it may truncate it under
// its readers.
#include "backends.hpp"
#include "reserve.hpp"

#include <algorithm>
#include <cerrno>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>

namespace reel {

namespace {

constexpr const char* kFolder = "/dev/shm";  // where the C library puts them on Linux

bool same_file(int a, int b) noexcept {
  struct stat first {};
  struct stat second {};
  return ::fstat(a, &first) == 0 && ::fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

bool still_linked(int fd) noexcept {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && status.st_nlink > 0;
}

bool lock(int fd, int operation) noexcept {
  int result = 0;
  do {
    result = ::flock(fd, operation);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

/// The name of a segment that is being made: unlinked again unless all went well, and by nobody but its
/// maker.
class OwnedName {
 public:
  OwnedName(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)), maker_(::getpid()) {}
  OwnedName(OwnedName&&) = default;
  OwnedName& operator=(OwnedName&&) = delete;
  ~OwnedName() {
    // A forked child shares the descriptor, and another process may own the name by now.
    if (fd_ && ::getpid() == maker_ && still_linked(fd_.get())) ::shm_unlink(path_.c_str());
  }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  std::string path_;
  UniqueFd fd_;
  pid_t maker_;
};

OwnedName make_named(const std::string& name, const std::string& what) {
  const std::string path = "/" + name;
  for (;;) {
    UniqueFd fd(::shm_open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!fd && errno == EEXIST) {
      throw Error(ErrorCode::in_use,
                  fmt::format("{}: {}/{} exists: choose another name, or remove it if its maker is gone",
                              what, kFolder, name));
    }
    if (!fd && errno == ENOENT) {
      throw Error(
          ErrorCode::unsupported,
          fmt::format("{}: there is no {}: mount a tmpfs there, or use memory kind memfd", what, kFolder));
    }
    if (!fd) throw_errno(errno, fmt::format("{}: shm_open", what));
    // The lock waits for a sweep() that looked at the name before it was locked, and may have removed it.
    if (!lock(fd.get(), LOCK_EX)) throw_errno(errno, fmt::format("{}: flock", what));
    if (still_linked(fd.get())) return {path, std::move(fd)};
  }
}

class PosixSegment final : public OwnedSegment {
 public:
  PosixSegment(std::string what, OwnedName name, std::unique_ptr<SharedSegment> mapping)
      : what_(std::move(what)), name_(std::move(name)), mapping_(std::move(mapping)) {}

  std::byte* data() noexcept override { return mapping_->data(); }
  std::size_t size() const noexcept override { return mapping_->size(); }
  std::optional<Seal> seal(Seal) override { return std::nullopt; }
  UniqueFd share_read_only() const override { return open_again(O_RDONLY); }
  UniqueFd share_writable() const override { return open_again(O_RDWR); }

 private:
  /// Opened anew and not duplicated: a peer must not hold the maker's lock.
  UniqueFd open_again(int access) const {
    UniqueFd fd(::shm_open(name_.path().c_str(), access | O_CLOEXEC, 0));
    if (!fd) throw_errno(errno, fmt::format("{}: cannot open {}{} again", what_, kFolder, name_.path()));
    if (!same_file(fd.get(), name_.fd())) {
      throw Error(ErrorCode::io, fmt::format("{}: somebody replaced {}{}", what_, kFolder, name_.path()));
    }
    return fd;
  }

  std::string what_;
  OwnedName name_;
  std::unique_ptr<SharedSegment> mapping_;
};

[[noreturn]] void throw_full(int fd, std::size_t bytes, const std::string& what) {
  struct statvfs room {};
  const std::uint64_t free_bytes =
      ::fstatvfs(fd, &room) == 0 ? static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize : 0;
  throw Error(
      ErrorCode::no_memory,
      fmt::format(
          "{}: needs {}, but {} has {} free: enlarge it (mount -o remount,size=..., or --shm-size for a "
          "container), use fewer or smaller slots, or memory kind memfd",
          what, bytes_text(bytes), kFolder, bytes_text(free_bytes)));
}

class PosixBackend final : public SegmentBackend {
 public:
  SegmentKind kind() const noexcept override { return SegmentKind::posix; }

  std::unique_ptr<OwnedSegment> create(const std::string& name, std::size_t bytes) const override {
    check_segment_name(name);
    const std::size_t size = whole_pages(name, bytes);
    const std::string what = fmt::format("memory segment '{}'", name);
    check_memory_room(size, what);
    OwnedName owned = make_named(name, what);
    if (const int error = reserve_pages(owned.fd(), size); error == ENOSPC) {
      throw_full(owned.fd(), size, what);
    } else if (error != 0) {
      throw_errno(error, fmt::format("{}: cannot reserve {}", what, bytes_text(size)));
    }
    auto mapping = map_descriptor(owned.fd(), size, true, what);
    return std::make_unique<PosixSegment>(what, std::move(owned), std::move(mapping));
  }

  std::unique_ptr<SharedSegment> map(UniqueFd fd, std::size_t bytes, bool writable) const override {
    const std::string what = "memory received from a peer";
    check_descriptor_size(fd.get(), bytes, what);
    return map_descriptor(fd.get(), bytes, writable, what);
  }

  std::vector<std::string> sweep(const std::string& prefix) const override {
    std::vector<std::string> removed;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(kFolder), ::closedir);
    if (!folder) return removed;
    while (const dirent* entry = ::readdir(folder.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == ".." || !name.starts_with(prefix)) continue;
      if (remove_if_left("/" + name)) removed.push_back(name);
    }
    std::sort(removed.begin(), removed.end());
    return removed;
  }

 private:
  static bool remove_if_left(const std::string& path) noexcept {
    const UniqueFd fd(::shm_open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0));
    return fd && lock(fd.get(), LOCK_EX | LOCK_NB) && still_linked(fd.get()) &&
           ::shm_unlink(path.c_str()) == 0;
  }
};

}  // namespace

const SegmentBackend& posix_backend() {
  static const PosixBackend backend;
  return backend;
}

}  // namespace reel
