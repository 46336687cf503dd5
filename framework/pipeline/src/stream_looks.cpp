#include "stream_looks.hpp"

#include <fmt/format.h>

#include <reel/base/peer_text.hpp>

namespace reel {
namespace {

std::uint64_t taken(const InputSetup& input, const StreamLook& look) noexcept {
  std::uint64_t frames = 0;
  bool known = false;
  for (const ReaderStatus& reader : look.readers) {
    if (reader.name != input.reader.name) continue;
    known = true;
    frames += reader.delivered + reader.skipped + reader.lapped + reader.corrupted;
  }
  return known ? frames : look.given;
}

}  // namespace

const StreamLook* look_of(const StreamLooks& looks, const std::string& stream) noexcept {
  const auto found = looks.find(stream);
  return found == looks.end() ? nullptr : &found->second;
}

std::uint64_t frames_seen(const GraphStage& stage, const StreamLooks& looks) noexcept {
  std::uint64_t frames = 0;
  for (const InputSetup& input : stage.setup.inputs)
    if (const StreamLook* look = look_of(looks, input.stream)) frames += taken(input, *look);
  for (const OutputSetup& output : stage.setup.outputs)
    if (const StreamLook* look = look_of(looks, output.stream)) frames += look->given;
  return frames;
}

bool is_behind(const ReaderStatus& reader, const StreamLook& look) noexcept {
  return reader.policy == Policy::lossless && !reader.demoted && reader.cursor <= look.given;
}

std::string reader_text(const ReaderStatus& reader, const std::string& stream) {
  const std::string who =
      reader.away_ms != 0 ? "gone, and waited for" : pid_text(static_cast<pid_t>(reader.pid));
  return fmt::format("the reader \"{}\" ({}) of the stream \"{}\"", reader.name, who, stream);
}

}  // namespace reel
