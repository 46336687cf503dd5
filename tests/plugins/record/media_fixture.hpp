// Pictures and sound whose times are known, through the recorder's own encoders and muxers. Single-thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <media/chain.hpp>
#include <media/mux.hpp>
#include <media/probe.hpp>

namespace record_test {

inline constexpr std::int64_t kMs = 1'000'000;
inline constexpr std::int64_t kSecond = 1'000'000'000;

/// Calls gst_init() once.
void begin_gstreamer();

[[nodiscard]] reel::Format picture_format(std::uint32_t width = 160, std::uint32_t height = 120,
                                          reel::PixelFormat pixel = reel::PixelFormat::I420);
[[nodiscard]] reel::Format sound_format(std::uint32_t rate_hz = 48'000, std::uint32_t channels = 1);

/// `count` pictures that differ, `step_ns` apart, from `start_ns` on.
[[nodiscard]] std::vector<record::Piece> pictures(const reel::Format& format, int count, std::int64_t step_ns,
                                                  std::int64_t start_ns = 0);
/// `count` pieces of 20 ms of silence, from `start_ns` on, with a tone from `tone_ns` (media time) on.
[[nodiscard]] std::vector<record::Piece> sound(const reel::Format& format, int count, std::int64_t start_ns,
                                               std::int64_t tone_ns);

/// Through a Chain, drained.
[[nodiscard]] std::vector<record::Unit> encode(const reel::Format& format, const record::CodingWish& wish,
                                               const std::vector<record::Piece>& pieces,
                                               std::size_t track = 0);
/// By time of decoding, as a recorder would write them.
[[nodiscard]] std::vector<record::Unit> in_order(std::vector<record::Unit> one,
                                                 std::vector<record::Unit> other = {});

/// A finished file of these.
void write_file(const std::string& path, record::Container container, std::size_t tracks,
                const std::vector<record::Unit>& units);

/// When the tone begins in the file's sound, as decoded; -1 where there is none.
[[nodiscard]] std::int64_t tone_begins_ns(const std::string& path);
/// Packets of a track as ffprobe counts them ("v:0", "a:0").
[[nodiscard]] std::uint64_t ffprobe_packets(const std::string& path, const std::string& track);

/// An open file, closed at the end.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path);
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile();
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace record_test
