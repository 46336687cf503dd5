#include "encoder_text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace record {

namespace {

// Key frames are asked for by time (Chain), whatever the frame rate: the encoder's own count must not come
// first.
constexpr int kManyFrames = 100'000;

// The constant quality of x264 and x265, 51 to 0: 75 is their usual 23.
double crf(int quality) {
  return 51.0 - quality * (28.0 / 75.0);
}

std::int64_t kbit(std::int64_t bitrate) {
  return std::max<std::int64_t>(1, bitrate / 1000);
}

// 4:2:0 has half as many rows and columns of colour: x264 takes no odd sizes of it.
std::string_view pixels_420(const reel::VideoFormat& format) {
  return format.width % 2 == 0 && format.height % 2 == 0 ? "I420" : "Y444";
}

std::string x264_text(const reel::VideoFormat& format, const CodingWish& wish) {
  const std::string rate =
      wish.bitrate > 0 ? fmt::format("pass=cbr bitrate={} vbv-buf-capacity=1000", kbit(wish.bitrate))
                       : fmt::format("pass=qual quantizer={}", static_cast<int>(crf(wish.quality) + 0.5));
  return fmt::format(
      "videoconvert ! video/x-raw,format={} ! x264enc tune=zerolatency speed-preset=veryfast bframes=0 "
      "rc-lookahead=0 sync-lookahead=0 key-int-max={} threads={} {} ! "
      "capsfilter caps=video/x-h264,stream-format=avc,alignment=au",
      pixels_420(format), kManyFrames, wish.threads, rate);
}

std::string x265_text(const reel::VideoFormat& format, const CodingWish& wish) {
  const std::string rate = wish.bitrate > 0 ? fmt::format("bitrate={}", kbit(wish.bitrate)) : std::string();
  const std::string quality =
      wish.bitrate > 0 ? std::string() : fmt::format(":crf={:.1f}", crf(wish.quality));
  return fmt::format(
      "videoconvert ! video/x-raw,format={} ! x265enc tune=zerolatency speed-preset=ultrafast "
      "log-level=error "
      "key-int-max={} {} option-string=\"bframes=0:rc-lookahead=0:frame-threads=1:scenecut=0{}\" ! h265parse "
      "! "
      "capsfilter caps=video/x-h265,stream-format=hvc1,alignment=au",
      pixels_420(format), kManyFrames, rate, quality);
}

// Encoders in hardware: few of their settings are the same everywhere, so that only the rate is said.
std::string h264_text(std::string_view element, const CodingWish& wish) {
  const std::int64_t bitrate = wish.bitrate > 0 ? wish.bitrate : 4'000'000;
  std::string settings;
  if (element == "v4l2h264enc")
    settings = fmt::format("extra-controls=\"controls,video_bitrate={}\"", bitrate);
  else if (element == "vah264enc")
    settings = fmt::format("bitrate={} b-frames=0 key-int-max=1024", kbit(bitrate));
  else
    settings = fmt::format("bitrate={} max-bframes=0 keyframe-period={}", kbit(bitrate), kManyFrames);
  return fmt::format(
      "videoconvert ! {} {} ! h264parse ! capsfilter caps=video/x-h264,stream-format=avc,alignment=au",
      element, settings);
}

std::string compressed_audio(std::string_view element, std::int64_t bitrate) {
  return fmt::format("audioconvert ! audioresample ! {} bitrate={}", element, bitrate);
}

}  // namespace

std::string_view ffv1_pixels(reel::PixelFormat pixel) noexcept {
  using reel::PixelFormat;
  switch (pixel) {
    case PixelFormat::I420:
    case PixelFormat::NV12:
    case PixelFormat::NV21: return "I420";
    case PixelFormat::YUY2:
    case PixelFormat::UYVY: return "Y42B";
    case PixelFormat::Y444: return "Y444";
    case PixelFormat::RGB:
    case PixelFormat::BGR:
    case PixelFormat::RGBx:
    case PixelFormat::BGRx: return "BGRx";
    case PixelFormat::RGBA:
    case PixelFormat::BGRA: return "BGRA";
    case PixelFormat::GRAY8: return "GRAY8";
    case PixelFormat::GRAY16_LE: return "GRAY16_LE";
  }
  return {};
}

std::string_view raw_pixels(reel::PixelFormat pixel) noexcept {
  using reel::PixelFormat;
  switch (pixel) {
    case PixelFormat::I420:
    case PixelFormat::NV12:
    case PixelFormat::NV21: return "I420";
    case PixelFormat::YUY2: return "YUY2";
    case PixelFormat::UYVY: return "UYVY";
    case PixelFormat::Y444: return "AYUV";
    case PixelFormat::RGB:
    case PixelFormat::RGBx: return "RGB";
    case PixelFormat::BGR:
    case PixelFormat::BGRx: return "BGR";
    case PixelFormat::GRAY8: return "GRAY8";
    case PixelFormat::RGBA:
    case PixelFormat::BGRA:
    case PixelFormat::GRAY16_LE: break;  // Matroska has no alpha here, nor 16 bits
  }
  return {};
}

std::string video_text(std::string_view element, const reel::VideoFormat& format, const CodingWish& wish) {
  if (element == "x264enc") return x264_text(format, wish);
  if (element == "x265enc") return x265_text(format, wish);
  if (element == "jpegenc") return fmt::format("videoconvert ! jpegenc quality={}", wish.quality);
  if (element == "avenc_ffv1")
    return fmt::format("videoconvert ! video/x-raw,format={} ! avenc_ffv1 gop-size=1",
                       ffv1_pixels(format.pixel));
  if (element == "identity")
    return fmt::format("videoconvert ! capsfilter caps=video/x-raw,format={}", raw_pixels(format.pixel));
  return h264_text(element, wish);
}

std::string audio_text(std::string_view element, const reel::AudioFormat& format, const CodingWish& wish) {
  if (element == "identity") return "identity";
  // FLAC has whole numbers of up to 24 bits.
  if (element == "flacenc")
    return fmt::format("audioconvert ! audio/x-raw,format={} ! flacenc",
                       format.sample == reel::SampleFormat::S16LE ? "S16LE" : "S24_32LE");
  if (element == "avenc_aac" || element == "fdkaacenc" || element == "voaacenc")
    return compressed_audio(element, wish.audio_bitrate) +
           " ! capsfilter caps=audio/mpeg,mpegversion=4,stream-format=raw";
  return compressed_audio(element, wish.audio_bitrate);
}

}  // namespace record
