// What is known of each recorded frame beside its bytes: its own times and side data, kept as JSON lines in a
// file beside the recording (X.mkv, X.frames). The recorder writes it, `reel play` and the index read it.
// Values; a reader is of one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <reel/base/clock.hpp>
#include <reel/format/frame_info.hpp>
#include <reel/format/side_data.hpp>

namespace record {

/// One track of the file. The manifest names the same by its stream; one that never had a frame is not in it.
struct FactsTrack {
  std::string stream;  // it was recorded from
  std::string media;   // "video" or "audio"
  std::string format;  // caps text of the stream as it was published: reel::Format::from_caps reads it
  bool operator==(const FactsTrack&) const = default;
};

/// Frames of a track that are in no file: a gap of the manifest, which is written later than this.
struct FactsLoss {
  std::int64_t start_ns = 0;  // media time
  std::int64_t end_ns = 0;
  std::uint64_t frames = 0;
  std::string reason;
  bool operator==(const FactsLoss&) const = default;
};

/// One frame of a stream that is in the file. Lines of one track are in the order of its frames in the file:
/// the n-th line of a video track is of its n-th picture. Of sound there is a line for each block that was
/// published, which the file holds as units of the codec's own size: `media_ns` says where.
struct FrameFacts {
  std::size_t track = 0;
  std::uint64_t frame = 0;  // number in the recording of this track, from 0: a gap in it is a gap in the file
  std::int64_t media_ns = 0;                  // when it begins in media time, the time line of all tracks
  reel::FrameInfo info;                       // as it was published; its kind is `media`
  std::int64_t utc_ns = reel::kNoTime;        // of the wall clock, for people
  std::uint64_t sequence = 0;                 // in the stream, from 1 for each writer; 0: not known
  std::int64_t published_ns = reel::kNoTime;  // CLOCK_MONOTONIC
  std::vector<std::byte> side_data;  // as SideDataView reads and SideDataWriter::add_all takes it; 8-byte
                                     // aligned
  std::vector<FactsLoss> lost;       // before it, and not told of with a frame before it
  [[nodiscard]] reel::SideDataView side() const noexcept { return reel::SideDataView(side_data); }
};

/// The first line, newline included. It may come once more where a track was added: then with all of them.
[[nodiscard]] std::string facts_header(std::span<const FactsTrack> tracks);
/// The line of one frame, newline included.
[[nodiscard]] std::string facts_line(const FrameFacts& facts);

/// Reads such a file from its start. A last line that was not finished is left out: what a killed recorder
/// leaves is read up to there.
class FactsReader {
 public:
  /// Throws Error{not_found | io} where the file cannot be opened, Error{protocol} where its first line is
  /// not this format's, Error{version} for another version of it.
  explicit FactsReader(std::string path);

  /// Those said so far.
  [[nodiscard]] const std::vector<FactsTrack>& tracks() const noexcept { return tracks_; }
  /// nullopt at the end. Throws Error{protocol}, at file and line, for a line that is none.
  [[nodiscard]] std::optional<FrameFacts> next();

 private:
  [[nodiscard]] std::optional<std::string> line();
  [[nodiscard]] std::string place() const;

  std::string path_;
  std::ifstream file_;
  std::uint64_t line_ = 0;
  std::vector<FactsTrack> tracks_;
};

}  // namespace record
