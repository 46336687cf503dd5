#include "name_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <reel/base/checksum.hpp>
#include <reel/base/error.hpp>
#include <reel/base/peer_text.hpp>
#include <reel/shm/segment.hpp>

#include "socket.hpp"

namespace reel {
namespace {

std::string read_owner(int fd) {
  std::array<char, 128> text{};  // a mark: two numbers and a host's name of 64 at most
  const ssize_t size = ::pread(fd, text.data(), text.size() - 1, 0);
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "";
}

// The file may have been unlinked between open and lock, by the owner that just left.
bool still_at(int fd, const std::string& path) {
  struct stat ours {};
  struct stat theirs {};
  return ::fstat(fd, &ours) == 0 && ::stat(path.c_str(), &theirs) == 0 && ours.st_ino == theirs.st_ino &&
         ours.st_dev == theirs.st_dev;
}

constexpr const char* kSegmentPrefix = "reel.";  // of all streams' named memory

// Whoever sweeps a directory holds the locks of dead writers for a moment: no reason to refuse a name.
constexpr std::chrono::milliseconds kPatience{300};
constexpr std::chrono::milliseconds kBetweenTries{5};

// The locked file, or nothing with the mark of whoever has held it for as long as `patience`.
std::optional<UniqueFd> lock_at(const std::string& path, std::chrono::milliseconds patience,
                                std::string& owner) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) throw_errno(errno, fmt::format("cannot open the lock \"{}\"", path));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) throw_errno(errno, fmt::format("cannot lock \"{}\"", path));
      if (!still_at(fd.get(), path)) continue;
      owner = read_owner(fd.get());
      if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
      std::this_thread::sleep_for(kBetweenTries);
      continue;
    }
    if (!still_at(fd.get(), path)) continue;
    const std::string mark = own_mark();
    if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), mark.data(), mark.size(), 0) < 0)
      throw_errno(errno, fmt::format("cannot write the lock \"{}\"", path));
    return fd;
  }
}

// Whoever still listens at the stream's socket, its lock file gone: who sweeps old files out of a directory
// takes locks with them. Nothing when nobody does.
std::optional<pid_t> listener_of(const std::string& directory, const std::string& stream) {
  const std::optional<UniqueFd> socket = connect_to(directory, socket_file(stream));
  if (!socket && errno != EAGAIN) return std::nullopt;  // EAGAIN: so many wait for it already
  const auto peer = socket ? peer_of(socket->get()) : std::nullopt;
  return peer ? peer->pid : 0;
}

// Of whoever left this mark in the lock it holds. Where that is of another PID namespace, the kernel may know
// the writer by a number of ours.
std::string holder_text(const std::string& mark, const std::string& directory, const std::string& stream) {
  const auto listener = marked_here(mark) ? std::nullopt : listener_of(directory, stream);
  return listener && *listener > 0 ? process_text(*listener) : marked_text(mark);
}

// A process that dies may let go of its lock before its socket.
std::optional<pid_t> lasting_listener_of(const std::string& directory, const std::string& stream) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    auto owner = listener_of(directory, stream);
    if (!owner || std::chrono::steady_clock::now() >= deadline) return owner;
    std::this_thread::sleep_for(kBetweenTries);
  }
}

}  // namespace

NameLock::NameLock(const std::string& directory, const std::string& stream)
    : path_(directory + "/" + lock_file(stream)) {
  std::string owner;
  std::optional<UniqueFd> fd = lock_at(path_, kPatience, owner);
  if (!fd)
    throw Error(ErrorCode::in_use,
                fmt::format("stream \"{}\" is already written by {} (lock \"{}\"): stop it, "
                            "or write under another name",
                            stream, holder_text(owner, directory, stream), path_));
  if (const auto listener = lasting_listener_of(directory, stream)) {
    (void)NameLock(std::move(*fd), path_);  // lets go of it
    throw Error(ErrorCode::in_use,
                fmt::format("stream \"{}\" is already written by {}, which listens at \"{}/{}\" though its "
                            "lock \"{}\" was removed: stop it, or write under another name",
                            stream, process_text(*listener), directory, socket_file(stream), path_));
  }
  fd_ = std::move(*fd);
}

std::optional<NameLock> NameLock::try_take(const std::string& directory, const std::string& stream) {
  std::string owner;
  std::string path = directory + "/" + lock_file(stream);
  std::optional<UniqueFd> fd = lock_at(path, std::chrono::milliseconds(0), owner);
  if (!fd) return std::nullopt;
  NameLock lock(std::move(*fd), std::move(path));
  if (listener_of(directory, stream)) return std::nullopt;
  return lock;
}

NameLock::~NameLock() {
  if (fd_ && still_at(fd_.get(), path_)) ::unlink(path_.c_str());  // another's, where ours was removed
}

std::string socket_file(const std::string& stream) {
  return stream + ".sock";
}
std::string lock_file(const std::string& stream) {
  return stream + ".lock";
}

std::string segment_prefix(const std::string& directory, const std::string& stream) {
  // By what it is: containers call one directory by different paths, and different ones by one path.
  struct stat status {};
  std::uint64_t where = checksum(std::as_bytes(std::span(directory)));
  if (::stat(directory.c_str(), &status) == 0) {
    const std::array<std::uint64_t, 2> place{status.st_dev, status.st_ino};
    where = checksum(std::as_bytes(std::span(place)));
  }
  // A capital letter ends the name: stream names have none, so no stream's prefix begins another's.
  return fmt::format("{}{:016x}.{}.W", kSegmentPrefix, where, stream);
}

std::optional<std::string> name_owner(const std::string& directory, const std::string& stream) {
  const std::string path = directory + "/" + lock_file(stream);
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd || ::flock(fd.get(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return std::nullopt;
  return holder_text(read_owner(fd.get()), directory, stream);
}

void sweep_memory() {
  for (const SegmentKind kind : segment_kinds()) (void)segment_backend(kind).sweep(kSegmentPrefix);
}

void remove_leftovers(const std::string& directory, const std::string& stream) {
  ::unlink((directory + "/" + socket_file(stream)).c_str());
  ::unlink((directory + "/" + socket_file(stream) + "~").c_str());
  for (const SegmentKind kind : segment_kinds())
    (void)segment_backend(kind).sweep(segment_prefix(directory, stream));
}

}  // namespace reel
