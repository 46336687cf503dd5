// The address of a socket in a directory, however long the directory's path is. Single-thread.
#pragma once

#include <string>

#include <sys/socket.h>
#include <sys/un.h>

#include <reel/base/unique_fd.hpp>

namespace reel {

/// sun_path holds 107 characters: a longer path goes through the directory's descriptor in /proc, for as long
/// as this object lives.
class UnixAddress {
 public:
  UnixAddress(const std::string& directory, const std::string& file);

  /// False where not even that is short enough, or the directory cannot be opened.
  [[nodiscard]] bool fits() const noexcept { return fits_; }
  [[nodiscard]] const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&address_); }
  [[nodiscard]] socklen_t size() const noexcept { return sizeof address_; }

 private:
  UniqueFd directory_;
  sockaddr_un address_{};
  bool fits_ = false;
};

}  // namespace reel
