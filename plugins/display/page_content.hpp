// What the page's addresses answer with, apart from the network. Used by the page's thread. Pure functions
// but for JpegCache, which is single-thread.
#pragma once

#include "board.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The page itself: HTML with its style and script, made from page.html at build time.
extern const std::string_view kPageHtml;

/// The state of all streams as JSON (README.md lists the fields).
[[nodiscard]] std::string status_json(const std::string& stage, const Board& board, std::int64_t now_ns);

/// Encodes each picture once, however many clients watch.
class JpegCache {
 public:
  using Jpeg = std::shared_ptr<const std::vector<unsigned char>>;
  explicit JpegCache(int quality) : quality_(quality) {}
  /// nullptr when `picture` is.
  [[nodiscard]] Jpeg encode(std::size_t stream, const std::shared_ptr<const Picture>& picture);

 private:
  struct Entry {
    std::uint64_t number = 0;
    Jpeg jpeg;
  };
  int quality_;
  std::vector<Entry> entries_;  // by stream
};

/// The path and the value of `stream` of a request target ("/stream.mjpg?stream=faces"); percent-escapes
/// decoded.
struct Target {
  std::string path;
  std::string stream;
};
[[nodiscard]] Target parse_target(std::string_view target);

/// Whether a request for this Host header may be answered: an address, localhost, or this machine's own name.
/// Any other name may have been pointed here by a page that wants to read this one (DNS rebinding).
[[nodiscard]] bool trusted_host(std::string_view host);
