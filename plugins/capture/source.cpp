#include "source.hpp"

#include "address.hpp"
#include "failure.hpp"
#include "file_source.hpp"
#include "http_source.hpp"
#include "microphone_source.hpp"
#include "rtsp_source.hpp"
#include "screen_source.hpp"
#include "test_source.hpp"
#include "v4l2_source.hpp"

#include <array>
#include <string_view>

#include <reel/base/error.hpp>

namespace capture {

namespace {

// An option that some kinds of source alone know.
struct Limited {
  const char* option;
  const char* schemes;  // separated by spaces
};
constexpr std::array kLimited{Limited{"width", "test v4l2"},
                              Limited{"height", "test v4l2"},
                              Limited{"fps", "test v4l2 screen"},
                              Limited{"frames", "test"},
                              Limited{"pattern", "test"},
                              Limited{"tone", "test"},
                              Limited{"volume", "test"},
                              Limited{"user", "rtsp rtsps http https"},
                              Limited{"password", "rtsp rtsps http https"},
                              Limited{"password_file", "rtsp rtsps http https"},
                              Limited{"transport", "rtsp rtsps"},
                              Limited{"latency", "rtsp rtsps"},
                              Limited{"camera_format", "v4l2"},
                              Limited{"controls", "v4l2"},
                              Limited{"region", "screen"},
                              Limited{"pointer", "screen"}};

void refuse_others(const reel::Options& options, const std::string& scheme, const Source& source) {
  const std::string own = " " + (scheme.empty() ? "file" : scheme) + " ";
  for (const Limited& limited : kLimited) {
    const std::string all = " " + std::string(limited.schemes) + " ";
    if (!options.given(limited.option) || all.find(own) != std::string::npos) continue;
    std::string names;
    for (std::size_t at = 1, end = 0; at < all.size(); at = end + 1) {
      end = all.find(' ', at);
      names += (names.empty() ? "" : ", ") + all.substr(at, end - at) + "://";
    }
    const bool size =
        std::string_view(limited.option) == "width" || std::string_view(limited.option) == "height";
    throw reel::Error(reel::ErrorCode::bad_config,
                      "the option '" + std::string(limited.option) + "' is for " + names +
                          " sources, and uri is \"" + source.uri() + "\": leave it out" +
                          (size ? " (opencv.resize changes a picture's size)" : ""));
  }
}

std::unique_ptr<Source> source_for(const std::string& scheme, const reel::Options& options) {
  const std::string& uri = options.text("uri");
  if (scheme == "test") return std::make_unique<TestSource>(uri, options);
  if (scheme.empty() || scheme == "file") return std::make_unique<FileSource>(uri);
  if (scheme == "rtsp" || scheme == "rtsps") return std::make_unique<RtspSource>(options);
  if (scheme == "http" || scheme == "https") return std::make_unique<HttpSource>(options);
  if (scheme == "v4l2") return std::make_unique<V4l2Source>(options);
  if (scheme == "screen") return std::make_unique<ScreenSource>(options);
  if (scheme == "microphone" || scheme == "pulse" || scheme == "alsa")
    return std::make_unique<MicrophoneSource>(options);
  throw reel::Error(reel::ErrorCode::bad_config,
                    "no source for \"" + scheme +
                        "://\" in the option uri: a file's path, file://, http(s)://, rtsp(s)://, v4l2://, "
                        "screen://, microphone://, pulse://, alsa:// or test:// are what there is");
}

}  // namespace

std::unique_ptr<Source> make_source(const reel::Options& options) {
  const std::string scheme = scheme_of(options.text("uri"));
  std::unique_ptr<Source> source = source_for(scheme, options);
  refuse_others(options, scheme, *source);
  return source;
}

reel::Error Source::error_of(GstMessage* message) const {
  return playback_error(uri(), message, defect());
}

}  // namespace capture
