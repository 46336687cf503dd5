// synthetic.source: frames whose every byte is known, paced or as fast as the readers take them.
#include "pattern.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <string>

#include <fmt/format.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/stage/plugin.hpp>

namespace reel::synthetic {
namespace {

constexpr std::int64_t kSecond_ns = 1'000'000'000;
constexpr std::int64_t kLongestSleep_ns = 50'000'000;  // a stage looks at stopping() that often
constexpr Fraction kNominal{30, 1};                    // of the timestamps of an unpaced source
constexpr double kLeastFps = 0.001;                    // that a fraction of thousandths can say

// When the n-th of `rate` a second is due, without an overflow in a hundred years.
std::int64_t nth_ns(std::uint64_t n, Fraction rate) noexcept {
  const std::uint64_t ticks = n * rate.denominator;
  return static_cast<std::int64_t>(ticks / rate.numerator * kSecond_ns +
                                   ticks % rate.numerator * kSecond_ns / rate.numerator);
}

// 30 is 30/1, 29.97 is 30000/1001, 12.5 is 12500/1000. REQUIRES: fps >= kLeastFps.
Fraction fraction_of(double fps) noexcept {
  const double whole = std::round(fps);
  if (std::abs(fps - whole) < 1e-9) return {static_cast<std::uint32_t>(whole), 1};
  const double ntsc = std::round(fps * 1.001);
  if (std::abs(fps * 1.001 - ntsc) < 1e-3) return {static_cast<std::uint32_t>(ntsc) * 1000, 1001};
  return {static_cast<std::uint32_t>(std::round(fps * 1000)), 1000};
}

void sleep_until(std::int64_t when_ns) noexcept {
  timespec time{};
  time.tv_sec = when_ns / kSecond_ns;
  time.tv_nsec = when_ns % kSecond_ns;
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}

constexpr std::array kOutputs{
    PortSpec{"out", kTakesVideo | kTakesAudio,
             "the frames; info().offset and the second 64-bit word are the frame's number, from 0"}};
constexpr std::array kOptions{
    OptionSpec{
        "format", OptionType::text, "auto",
        "pixel format, or sample format for audio; auto is NV12, or S16LE where rate or channels are given",
        "auto|I420|NV12|NV21|YUY2|UYVY|RGB|BGR|RGBx|BGRx|RGBA|BGRA|Y444|GRAY8|GRAY16_LE|S16LE|S32LE|F32LE"},
    OptionSpec{"width", OptionType::integer, "1920", "pixels", "1..32768"},
    OptionSpec{"height", OptionType::integer, "1080", "pixels", "1..32768"},
    OptionSpec{"rate", OptionType::integer, "48000",
               "audio: samples per second; given alone it makes the source one of audio", "1..768000"},
    OptionSpec{"channels", OptionType::integer, "2", "audio: channels, interleaved", "1..64"},
    OptionSpec{
        "fps", OptionType::number, "30",
        "frames (of audio: buffers) per second, at least 0.001; 0: unpaced, as fast as the readers take them",
        "0..100000"},
    OptionSpec{"frames", OptionType::integer, "0", "how many frames, then end of stream; 0: endless", "0.."},
    OptionSpec{
        "live", OptionType::boolean, "false",
        "behave as a camera: frames that could not be given in time are left out, with their numbers"}};

class Source final : public Stage {
 public:
  void configure(const Options& options) override;
  void start(StageContext& context) override { context.output("out").set_format(format_); }
  bool produce(StageContext& context) override;

 private:
  [[nodiscard]] bool wait_until_due() noexcept;
  [[nodiscard]] std::size_t frame_bytes() const;
  [[nodiscard]] std::int64_t time_ns(std::uint64_t number) const noexcept;
  [[nodiscard]] std::uint64_t samples_before(std::uint64_t number) const noexcept;

  Format format_;
  Pattern pattern_{Format{}};
  Fraction pace_ = kNominal;
  bool paced_ = true;
  bool live_ = false;
  std::uint64_t frames_ = 0;
  std::uint64_t number_ = 0;         // of the next frame
  std::int64_t start_ns_ = kNoTime;  // of frame 0, set when the readers are there and it is published
};

void Source::configure(const Options& options) {
  std::string name = options.text("format");
  if (name == "auto") name = options.given("rate") || options.given("channels") ? "S16LE" : "NV12";
  const double fps = options.number("fps");
  paced_ = fps > 0;
  if (paced_ && fps < kLeastFps)
    throw Error(ErrorCode::bad_config,
                fmt::format("option fps: {} is too slow: give at least {} (one frame in 1000 s), or 0 for no "
                            "pace",
                            fps, kLeastFps));
  pace_ = paced_ ? fraction_of(fps) : kNominal;
  live_ = options.boolean("live");
  frames_ = static_cast<std::uint64_t>(options.integer("frames"));
  if (live_ && !paced_) throw Error(ErrorCode::bad_config, "option live needs a pace: give fps above 0");

  const auto number = [&](const char* option) { return static_cast<std::uint32_t>(options.integer(option)); };
  if (const auto sample = sample_format_from(name)) {
    if (options.given("width") || options.given("height"))
      throw Error(ErrorCode::bad_config,
                  fmt::format("format {} is audio: width and height are of video", name));
    format_ = AudioFormat{*sample, number("rate"), number("channels")};
    if (number("rate") * std::uint64_t{pace_.denominator} < pace_.numerator)
      throw Error(ErrorCode::bad_config,
                  fmt::format("{} buffers a second of {} samples a second leave none for some: lower fps",
                              fps, number("rate")));
  } else {
    if (options.given("rate") || options.given("channels"))
      throw Error(ErrorCode::bad_config,
                  fmt::format("format {} is video: rate and channels are of audio", name));
    format_ = VideoFormat{pixel_format_from(name).value(), number("width"), number("height"),
                          paced_ ? pace_ : Fraction{}};
  }
  pattern_ = Pattern(format_);
}

bool Source::produce(StageContext& context) {
  if (frames_ != 0 && number_ >= frames_) return false;
  if (!wait_until_due()) return true;
  Output& out = context.output("out");
  Loan loan = out.acquire(frame_bytes());
  FrameInfo info;
  info.capture_ns = monotonic_ns();
  info.pts_ns = time_ns(number_);
  info.duration_ns = time_ns(number_ + 1) - info.pts_ns;
  info.offset = number_;
  pattern_.fill(loan.data(), number_);
  out.publish(std::move(loan), info);
  if (start_ns_ == kNoTime) start_ns_ = monotonic_ns();
  ++number_;
  return true;
}

// False when the time has not come and the caller should look at stopping() first.
bool Source::wait_until_due() noexcept {
  if (!paced_ || start_ns_ == kNoTime) return true;
  const std::int64_t now_ns = monotonic_ns();
  if (live_) {
    while (start_ns_ + nth_ns(number_ + 1, pace_) <= now_ns) ++number_;
  }
  const std::int64_t due_ns = start_ns_ + nth_ns(number_, pace_);
  if (due_ns > now_ns) sleep_until(std::min(due_ns, now_ns + kLongestSleep_ns));
  return due_ns <= now_ns + kLongestSleep_ns;
}

// Of all channels together; so many that the rate is kept exactly over any number of buffers.
std::uint64_t Source::samples_before(std::uint64_t number) const noexcept {
  const std::uint64_t ticks = number * pace_.denominator;
  const std::uint64_t rate = format_.audio()->rate_hz;
  return ticks / pace_.numerator * rate + ticks % pace_.numerator * rate / pace_.numerator;
}

std::int64_t Source::time_ns(std::uint64_t number) const noexcept {
  if (format_.audio() == nullptr) return nth_ns(number, pace_);
  return nth_ns(samples_before(number), {format_.audio()->rate_hz, 1});
}

std::size_t Source::frame_bytes() const {
  if (format_.audio() == nullptr) return format_.frame_bytes();
  return (samples_before(number_ + 1) - samples_before(number_)) * sample_frame_bytes(*format_.audio());
}

}  // namespace
}  // namespace reel::synthetic

REEL_STAGE(reel::synthetic::Source, "synthetic.source",
           "Frames of a known pattern, each with its number in it", reel::no_ports, reel::synthetic::kOutputs,
           reel::synthetic::kOptions)
