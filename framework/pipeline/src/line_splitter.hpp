// Lines out of the pieces that a pipe delivers. Single-thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace reel {

class LineSplitter {
 public:
  using Sink = std::function<void(std::string_view line)>;
  static constexpr std::size_t kLongestLine = 16 * 1024;  // a longer one comes out in pieces

  void add(std::string_view bytes, const Sink& sink);
  /// What is left without an end of line.
  void finish(const Sink& sink);

 private:
  std::string rest_;
};

}  // namespace reel
