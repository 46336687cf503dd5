#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>

#include <reel/base/unix_address.hpp>

namespace reel {

UnixAddress::UnixAddress(const std::string& directory, const std::string& file) {
  std::string path = directory + "/" + file;
  if (path.size() >= sizeof address_.sun_path) {
    directory_ = UniqueFd(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    path = fmt::format("/proc/self/fd/{}/{}", directory_.get(), file);
  }
  fits_ = path.size() < sizeof address_.sun_path;
  if (fits_) std::memcpy(address_.sun_path, path.c_str(), path.size() + 1);
  address_.sun_family = AF_UNIX;
}

}  // namespace reel
