// Caps text from anywhere: either a format that can be used and written again, or one bad_argument with a
// printable message.
#include <algorithm>
#include <string>
#include <string_view>

#include <reel/base/error.hpp>
#include <reel/format/format.hpp>

#include "fuzz.hpp"

namespace {

using reel::Format;
using reel::fuzz::require;

void check(const Format& format) {
  const std::string caps = format.caps();
  require(!caps.empty() && caps.size() <= reel::kMaxCapsBytes, "caps text stays within its limit");
  if (format.video()) require(format.frame_bytes() > 0, "a video format has a layout");
  if (format.audio()) {
    const std::uint32_t bytes = reel::sample_frame_bytes(*format.audio());
    require(bytes >= 2 && bytes <= 4 * 64, "an audio format has a frame size");
  }
  if (format.encoded()) {
    require(format.encoded()->codec_data.size() <= reel::kMaxCodecDataBytes, "codec data is bounded");
    require(format.encoded()->fps.denominator != 0, "a fraction has a denominator");
  }
  const Format again = Format::from_caps(caps);
  require(again.kind() == format.kind(), "written and read again it is of the same kind");
  require(again.caps() == caps, "written and read again it has the same text");
  if (!format.encoded()) require(again == format, "written and read again it is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Format format;
  try {
    format = Format::from_caps(text);
  } catch (const reel::Error& error) {
    const std::string_view what = error.what();
    require(error.code() == reel::ErrorCode::bad_argument, "the error is bad_argument");
    require(std::all_of(what.begin(), what.end(), [](char c) { return c >= ' ' && c <= '~'; }),
            "the message can be printed");
    return 0;
  }
  check(format);
  return 0;
}
