// What streams look like from outside, and what that says of the pipeline's stages: of programs, which count
// nothing themselves, and of those that a reader holds up. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <reel/channel/frame_writer.hpp>
#include <reel/pipeline/graph.hpp>

namespace reel {

struct StreamLook {
  std::uint64_t given = 0;  // sequence of the newest frame
  bool live = false;        // its writer waits for nobody
  std::vector<ReaderStatus> readers;
};
/// By stream. One that has no writer, or whose writer does not answer, is missing.
using StreamLooks = std::map<std::string, StreamLook>;

[[nodiscard]] const StreamLook* look_of(const StreamLooks& looks, const std::string& stream) noexcept;

/// Frames that the stage has given and taken, as its streams show them: a number that grows while it does
/// something, and may fall when it begins anew. Of a stream that nobody reads by the name that it has in the
/// graph, as programs may, those that were given count.
[[nodiscard]] std::uint64_t frames_seen(const GraphStage& stage, const StreamLooks& looks) noexcept;

/// Whether its writer waits for this reader where it has no slot left.
[[nodiscard]] bool is_behind(const ReaderStatus& reader, const StreamLook& look) noexcept;

/// The reader that is behind the furthest; of two, one that `ours` is not true of. nullptr: none is.
template <typename IsOurs>
[[nodiscard]] const ReaderStatus* last_of(const StreamLook& look, IsOurs&& ours) {
  const ReaderStatus* last = nullptr;
  for (const ReaderStatus& reader : look.readers) {
    if (!is_behind(reader, look)) continue;
    if (last == nullptr || reader.cursor < last->cursor ||
        (reader.cursor == last->cursor && ours(*last) && !ours(reader)))
      last = &reader;
  }
  return last;
}

/// "the reader "x" (pid 12) of the stream "camera""
[[nodiscard]] std::string reader_text(const ReaderStatus& reader, const std::string& stream);

}  // namespace reel
