// A media file from anywhere: what its headers promise is told only where it is more than there is.
#include "container_size.hpp"
#include "fuzz.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include <reel/base/unique_fd.hpp>

using reel::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const reel::UniqueFd file(::memfd_create("fuzz-clip", MFD_CLOEXEC));
  require(static_cast<bool>(file), "there is memory for a file");
  require(::write(file.get(), data, size) == static_cast<ssize_t>(size), "the file is written");
  const auto mismatch = capture::find_truncation("/proc/self/fd/" + std::to_string(file.get()));
  if (!mismatch) return 0;
  require(mismatch->actual_bytes == size, "the file's size is told as it is");
  require(mismatch->promised_bytes > size, "more is promised than there is");
  return 0;
}
