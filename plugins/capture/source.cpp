#include "source.hpp"

#include "file_source.hpp"
#include "test_source.hpp"

#include <array>

#include <reel/base/error.hpp>

namespace capture {

namespace {

constexpr std::array kTestOnly{"width", "height", "fps", "frames", "pattern", "tone", "volume"};

std::string scheme_of(const std::string& uri) {
  const std::size_t end = uri.find("://");
  return end == std::string::npos || uri.find('/') < end ? std::string() : uri.substr(0, end);
}

void refuse_test_options(const reel::Options& options, const std::string& uri) {
  for (const char* name : kTestOnly)
    if (options.given(name))
      throw reel::Error(reel::ErrorCode::bad_config,
                        "the option '" + std::string(name) + "' is for test:// sources, and uri is \"" + uri +
                            "\": leave it out (opencv.resize changes a picture's size)");
}

}  // namespace

std::unique_ptr<Source> make_source(const reel::Options& options) {
  const std::string& uri = options.text("uri");
  const std::string scheme = scheme_of(uri);
  if (scheme == "test") return std::make_unique<TestSource>(uri, options);
  refuse_test_options(options, uri);
  if (scheme.empty() || scheme == "file") return std::make_unique<FileSource>(uri);
  throw reel::Error(reel::ErrorCode::bad_config,
                    "no source for \"" + scheme + "://\" in uri \"" + uri +
                        "\": a file's path, file:// or test:// are what there is");
}

}  // namespace capture
