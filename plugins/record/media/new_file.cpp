#include "new_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <reel/base/error.hpp>

namespace record {

NewFile::NewFile(std::string path)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0 && errno == EEXIST)
    throw reel::Error(reel::ErrorCode::in_use, "there is such a file: name another, or remove it", path_);
  if (descriptor_ < 0) reel::throw_errno(errno, "make the file", path_);
}

NewFile::~NewFile() {
  if (!kept_) ::unlink(path_.c_str());
  ::close(descriptor_);
}

int NewFile::write(std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
  return DescriptorSink(descriptor_).write(offset, bytes);
}

void NewFile::keep() {
  if (::fdatasync(descriptor_) != 0) reel::throw_errno(errno, "bring the file to the disk", path_);
  kept_ = true;
}

}  // namespace record
