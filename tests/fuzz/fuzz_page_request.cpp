// A request to the display's page, from anybody who reaches its port: the Host header up to the first line's
// end, then the target. A name is trusted as it stands or not at all.
#include "fuzz.hpp"
#include "page_content.hpp"

#include <algorithm>
#include <string_view>

using reel::fuzz::require;

// The page itself is made at build time, and is no input.
const std::string_view kPageHtml;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(text.find('\n'), size);
  const std::string_view host = text.substr(0, end);
  const std::string_view target = text.substr(std::min(end + 1, size));
  if (trusted_host(host))
    require(std::all_of(host.begin(), host.end(), [](char c) { return c > ' ' && c <= '~'; }),
            "a trusted name is a plain one");
  const Target parsed = parse_target(target);
  require(parsed.path.size() + parsed.stream.size() <= target.size(), "nothing is made up");
  return 0;
}
