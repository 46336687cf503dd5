// What a running pipeline and its tools say to each other, from anywhere: either a message, which says the
// same when it is written and read again, or one protocol or version error.
#include "control_wire.hpp"
#include "fuzz.hpp"

#include <string>
#include <string_view>

#include <reel/base/error.hpp>

namespace {

using reel::fuzz::require;

template <typename Read>
void check(std::string_view line, Read&& read) {
  std::string text;
  try {
    text = reel::to_line(read(line));
  } catch (const reel::Error& error) {
    require(error.code() == reel::ErrorCode::protocol || error.code() == reel::ErrorCode::version,
            "the error is of the protocol");
    return;
  }
  require(text.find('\n') == std::string::npos, "a message is a line");
  require(reel::to_line(read(text)) == text, "a message says the same when it is read again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  check(line, reel::request_from);
  check(line, reel::answer_from);
  return 0;
}
