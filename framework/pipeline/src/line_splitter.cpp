#include "line_splitter.hpp"

#include <algorithm>

namespace reel {

void LineSplitter::add(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t take = std::min({end, bytes.size(), kLongestLine - rest_.size()});
    rest_.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    const bool complete = end == take;
    if (!complete && rest_.size() < kLongestLine) return;
    if (complete) bytes.remove_prefix(1);
    sink(rest_);
    rest_.clear();
  }
}

void LineSplitter::finish(const Sink& sink) {
  if (!rest_.empty()) sink(rest_);
  rest_.clear();
}

}  // namespace reel
