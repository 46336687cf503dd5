#include "recorder/spool_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <reel/base/error.hpp>

namespace record {
namespace {

[[nodiscard]] reel::UniqueFd nameless_file(const std::string& directory, const std::string& setting) {
  reel::UniqueFd file(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file) return file;
  std::string name = directory + "/.spool-XXXXXX";
  file.reset(::mkostemp(name.data(), O_CLOEXEC));  // where the file system has none without a name
  if (!file) reel::throw_errno(errno, "cannot make a file for frames that wait (" + setting + ")", directory);
  (void)::unlink(name.c_str());
  return file;
}

}  // namespace

SpoolFile::SpoolFile(const std::string& directory, std::uint64_t limit_bytes, const std::string& setting)
    : file_(nameless_file(directory, setting)), limit_(limit_bytes) {}

std::optional<std::uint64_t> SpoolFile::place_for(std::uint64_t bytes) const noexcept {
  const bool wrapped = pieces_ != 0 && end_ <= begin_;
  if (wrapped) return end_ + bytes <= begin_ ? std::optional(end_) : std::nullopt;
  if (end_ + bytes <= limit_) return end_;
  return bytes <= begin_ ? std::optional<std::uint64_t>(0) : std::nullopt;
}

std::optional<std::uint64_t> SpoolFile::reserve(std::uint64_t bytes) noexcept {
  const std::optional<std::uint64_t> offset = place_for(bytes);
  if (!offset) return std::nullopt;
  if (pieces_ == 0) begin_ = *offset;
  end_ = *offset + bytes;
  ++pieces_;
  return offset;
}

void SpoolFile::release(std::uint64_t offset, std::uint64_t bytes) noexcept {
  begin_ = offset + bytes;
  if (--pieces_ != 0) return;
  begin_ = end_ = 0;
  leavings_ = true;
}

bool SpoolFile::take_leavings() noexcept {
  return pieces_ == 0 && std::exchange(leavings_, false);
}

int SpoolFile::put(std::uint64_t offset, std::span<const std::byte> bytes) const noexcept {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t wrote =
        ::pwrite(file_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return wrote < 0 ? errno : ENOSPC;
    done += static_cast<std::size_t>(wrote);
  }
  return 0;
}

int SpoolFile::get(std::uint64_t offset, std::span<std::byte> bytes) const noexcept {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got =
        ::pread(file_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 ? errno : EIO;
    done += static_cast<std::size_t>(got);
  }
  return 0;
}

void SpoolFile::empty() const noexcept {
  // Its disk is somebody else's meanwhile; a failure costs nothing but that.
  if (::ftruncate(file_.get(), 0) != 0) return;
}

}  // namespace record
