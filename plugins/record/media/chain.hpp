// One stream on its way from frames to units: encoder or parser in threads of its own. One thread pushes and
// takes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <reel/channel/frame.hpp>
#include <reel/format/format.hpp>

#include "coding.hpp"
#include "unit.hpp"

namespace record {

/// One frame of a stream with its media time.
struct Piece {
  std::shared_ptr<GstBuffer> buffer;       // its bytes, in its format; its own times mean nothing
  std::int64_t time_ns = 0;                // media time of its presentation; may not go back in raw streams
  std::int64_t decode_ns = reel::kNoTime;  // of encoded video with reordered pictures, where it is known
  std::int64_t duration_ns = 0;            // 0: not known; of raw sound it is counted from the samples
  std::int64_t arrived_ns = reel::kNoTime;
  std::uint64_t frame = 0;  // number within the track
  bool key = true;          // of encoded video
  bool discont = false;
};

/// A copy of the frame's bytes, with its plane layout where that is not GStreamer's own.
[[nodiscard]] std::shared_ptr<GstBuffer> buffer_of(const reel::Frame& frame);
/// The same of bytes that were kept elsewhere meanwhile. `layout` matters for raw video alone.
[[nodiscard]] std::shared_ptr<GstBuffer> buffer_of(std::span<const std::byte> bytes,
                                                   const reel::Format& format,
                                                   const reel::VideoLayout& layout);

class Chain {
 public:
  struct Settings {
    std::size_t track = 0;
    reel::Format format;  // of what is pushed; a stream that changes it needs a new chain
    Coding coding;        // choose_coding(format, ...)
    std::string where;    // a stream's name, for messages
    /// An encoder that takes nothing, or gives nothing, for longer has failed.
    std::int64_t timeout_ns = 10'000'000'000;
  };
  /// Starts at once. Throws reel::Error where the encoder refuses the format.
  explicit Chain(Settings settings);
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;
  /// Throws away what is still inside. An encoder that hangs is left behind (apart.hpp).
  ~Chain();

  /// Waits while the encoder has frames enough; see wait_for_room(). Throws reel::Error once the encoder
  /// failed: {timeout} where it hangs.
  void push(Piece piece);
  /// True where push() would not wait any more, which is so of an encoder that failed as well; false after
  /// `timeout_ms`.
  [[nodiscard]] bool wait_for_room(int timeout_ms);
  /// What has come out since, in order: as many units as frames of video went in, but for those
  /// that an encoder leaves out (a parser: what is broken, or comes before the first parameter sets); of
  /// sound, blocks of the encoder's own length that cover all samples. Does not wait. Throws as push() does,
  /// once all was taken that came out before. Called at least twice a second it notices an encoder that
  /// hangs.
  [[nodiscard]] std::vector<Unit> take();
  /// No more comes: waits for what is inside and returns all that was not taken. Then only the destructor may
  /// be called, and take(), which throws where the encoder failed meanwhile.
  [[nodiscard]] std::vector<Unit> drain();
  /// The next unit of video is to be a key frame as soon as the encoder can; nothing where streams pass
  /// through.
  void ask_for_key_frame();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace record
