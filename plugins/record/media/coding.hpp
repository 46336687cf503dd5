// Which encoder makes a stream into what goes into a file, and with which settings. Called once a stream,
// before anything is recorded, so that what is missing is said at the start. Thread-safe after gst_init().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <reel/format/format.hpp>
#include <reel/gst/pointers.hpp>

namespace record {

enum class Container { matroska, mp4 };
[[nodiscard]] std::string_view to_string(Container container) noexcept;  // "matroska", "mp4"
/// Throws reel::Error{bad_config} naming the two.
[[nodiscard]] Container container_from(std::string_view name);
/// "mkv", "mp4": without the dot.
[[nodiscard]] std::string_view extension_of(Container container) noexcept;

/// What the user asked for.
struct CodingWish {
  std::string codec = "h264";                    // of raw video: h264, h265, mjpeg, ffv1, raw
  std::string audio_codec = "aac";               // of raw sound: aac, opus, flac, pcm
  std::int64_t bitrate = 0;                      // bits a second of a video track; 0: by `quality`
  int quality = 75;                              // 1 worst to 100 best, of h264, h265 and mjpeg
  std::int64_t audio_bitrate = 96'000;           // bits a second of aac and opus, all channels
  std::int64_t key_interval_ns = 1'000'000'000;  // at least one picture this often can be decoded alone
  int threads = 0;                               // of a video encoder in software; 0: its own choice
};

/// How one stream gets into a file.
struct Coding {
  std::string codec;         // of what comes out: "h264", "h265", "mjpeg", "ffv1", "raw", "aac", "opus", ...
  bool video = false;        // else sound
  bool passthrough = false;  // it came encoded: not decoded, not encoded
  bool one_each = false;     // of video: a frame is a picture, and one unit comes out for each
  std::string element;       // the encoder or parser; empty: the bytes are kept
  std::string launch;        // the elements between what comes and what goes, as gst_parse_bin wants them
  std::int64_t key_interval_ns = 0;  // key frames are asked for this often; 0: they come when they come
};

/// Of a stream of `format`: encoded streams pass through (their codec may differ from the wish); raw ones are
/// encoded. Encoders in hardware are taken where they are there and open their device. Throws
/// reel::Error{unsupported} naming the element and its Debian package where one is missing,
/// reel::Error{bad_config} for a codec that is not known or that `container` cannot hold, or a stream that is
/// neither picture nor sound; `where` is the error's place (a stream's name).
[[nodiscard]] Coding choose_coding(const reel::Format& format, const CodingWish& wish, Container container,
                                   const std::string& where);

/// Checks codec names and numbers of a wish against `container`, and that each encoder is there, without a
/// stream. Throws as choose_coding() does.
void check_wish(const CodingWish& wish, Container container);

/// Whether files of that kind can hold `codec` as it is recorded here.
[[nodiscard]] bool can_hold(Container container, std::string_view codec) noexcept;

/// "h264" of caps that a Unit has; empty where they are of none that is recorded.
[[nodiscard]] std::string codec_of(const GstCaps* caps);
[[nodiscard]] bool is_video(const GstCaps* caps);

}  // namespace record
