#include <reel/stage/supervised.hpp>

#include <array>
#include <cerrno>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/unique_fd.hpp>

namespace reel {

StageSetup read_setup(int fd) {
  const UniqueFd source(fd);
  std::string json;
  std::array<char, 4096> block{};
  while (true) {
    const ssize_t got = ::read(source.get(), block.data(), block.size());
    if (got == 0) return stage_setup_from_json(json);
    if (got > 0) {
      json.append(block.data(), static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      throw_errno(errno, fmt::format("cannot read the stage's setup from descriptor {}", fd));
    }
  }
}

StagePageMapping open_page(int fd) {
  StagePageMapping mapping = fd < 0 ? StagePageMapping::create() : StagePageMapping::open(UniqueFd(fd));
  mapping.page().pid.store(static_cast<std::uint32_t>(::getpid()), std::memory_order_relaxed);
  return mapping;
}

void set_state(StagePage& page, StageState state) noexcept {
  page.state.store(static_cast<std::uint32_t>(state), std::memory_order_relaxed);
}

}  // namespace reel
