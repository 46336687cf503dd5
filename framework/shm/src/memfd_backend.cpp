// Anonymous memory with seals: memfd_create(2), fcntl_add_seals(2).
#include "backends.hpp"
#include "reserve.hpp"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>

namespace reel {

namespace {

#ifdef MFD_NOEXEC_SEAL
constexpr unsigned kNoExec = MFD_NOEXEC_SEAL;
#else
constexpr unsigned kNoExec = 0x0008U;  // Linux 6.3; older kernels answer EINVAL
#endif

constexpr int kSizeSeals = F_SEAL_SHRINK | F_SEAL_GROW;

UniqueFd make_memfd(const std::string& name, const std::string& what) {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  UniqueFd fd(::memfd_create(name.c_str(), kFlags | kNoExec));
  if (!fd && errno == EINVAL) fd.reset(::memfd_create(name.c_str(), kFlags));
  if (!fd) throw_errno(errno, fmt::format("{}: memfd_create", what));
  return fd;
}

class MemfdSegment final : public OwnedSegment {
 public:
  MemfdSegment(std::string what, UniqueFd fd, std::unique_ptr<SharedSegment> mapping)
      : what_(std::move(what)), fd_(std::move(fd)), mapping_(std::move(mapping)) {}

  std::byte* data() noexcept override { return mapping_->data(); }
  std::size_t size() const noexcept override { return mapping_->size(); }

  std::optional<Seal> seal(Seal wanted) override {
    if (wanted == Seal::size_and_writes &&
        ::fcntl(fd_.get(), F_ADD_SEALS, kSizeSeals | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == 0) {
      return Seal::size_and_writes;
    }
    // EINVAL above: a kernel before 5.1. EPERM here: sealed before, so what is in force decides.
    if (::fcntl(fd_.get(), F_ADD_SEALS, kSizeSeals | F_SEAL_SEAL) != 0 && errno != EPERM) {
      throw_errno(errno, fmt::format("{}: cannot seal it", what_));
    }
    const int in_force = ::fcntl(fd_.get(), F_GET_SEALS);
    if (in_force < 0) throw_errno(errno, fmt::format("{}: cannot read its seals", what_));
    if ((in_force & kSizeSeals) != kSizeSeals) return std::nullopt;
    return (in_force & F_SEAL_FUTURE_WRITE) != 0 ? Seal::size_and_writes : Seal::size;
  }

  UniqueFd share_read_only() const override {
    UniqueFd reopened(::open(fmt::format("/proc/self/fd/{}", fd_.get()).c_str(), O_RDONLY | O_CLOEXEC));
    if (reopened) return reopened;
    if (errno == EMFILE || errno == ENFILE)
      throw_errno(errno, fmt::format("{}: cannot open it again", what_));
    return duplicate(fd_.get(), what_);  // no /proc: the seals alone protect it
  }

  UniqueFd share_writable() const override { return duplicate(fd_.get(), what_); }

 private:
  std::string what_;
  UniqueFd fd_;
  std::unique_ptr<SharedSegment> mapping_;
};

/// Everything that could make a later touch of the mapping fail is refused here.
void check_received(int fd, std::size_t bytes, const std::string& what) {
  check_descriptor_size(fd, bytes, what);
  struct statfs files {};
  if (::fstatfs(fd, &files) != 0 || files.f_type != TMPFS_MAGIC) {
    throw Error(ErrorCode::protocol, fmt::format("{}: its descriptor is not a memfd", what));
  }
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kSizeSeals) != kSizeSeals) {
    throw Error(ErrorCode::protocol,
                fmt::format("{}: it is not sealed against shrinking and growing (seals {:#x}, need {:#x})",
                            what, seals < 0 ? 0 : seals, kSizeSeals));
  }
  struct stat status {};
  constexpr std::uint64_t kBlock = 512;  // the unit of st_blocks on Linux, whatever st_blksize says
  if (::fstat(fd, &status) != 0 || static_cast<std::uint64_t>(status.st_blocks) * kBlock < bytes) {
    throw Error(ErrorCode::protocol,
                fmt::format("{}: only {} of its {} bytes are reserved", what,
                            static_cast<std::uint64_t>(status.st_blocks) * kBlock, bytes));
  }
}

class MemfdBackend final : public SegmentBackend {
 public:
  SegmentKind kind() const noexcept override { return SegmentKind::memfd; }

  std::unique_ptr<OwnedSegment> create(const std::string& name, std::size_t bytes) const override {
    check_segment_name(name);
    const std::size_t size = whole_pages(name, bytes);
    const std::string what = fmt::format("memory segment '{}'", name);
    check_memory_room(size, what);
    UniqueFd fd = make_memfd(name, what);
    if (const int error = reserve_pages(fd.get(), size); error != 0) {
      throw_errno(error, fmt::format("{}: cannot reserve {}", what, bytes_text(size)));
    }
    auto mapping = map_descriptor(fd.get(), size, true, what);
    return std::make_unique<MemfdSegment>(what, std::move(fd), std::move(mapping));
  }

  std::unique_ptr<SharedSegment> map(UniqueFd fd, std::size_t bytes, bool writable) const override {
    const std::string what = "memory received from a peer";
    check_received(fd.get(), bytes, what);
    return map_descriptor(fd.get(), bytes, writable, what);
  }

  std::vector<std::string> sweep(const std::string&) const override { return {}; }  // nothing is named
};

}  // namespace

const SegmentBackend& memfd_backend() {
  static const MemfdBackend backend;
  return backend;
}

}  // namespace reel
