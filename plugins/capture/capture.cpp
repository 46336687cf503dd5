// Stage `capture`: files and test pictures as streams, through GStreamer. The stage's thread opens, watches
// the bus and joins the passes of a loop; each output has a pump of its own.
#include "playback.hpp"
#include "pump.hpp"
#include "source.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>

#include <gst/gst.h>

#include <reel/base/error.hpp>
#include <reel/gst/clock.hpp>
#include <reel/stage/plugin.hpp>

namespace capture {
namespace {

using reel::Error;
using reel::ErrorCode;
using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kOutputs{PortSpec{"video", reel::kTakesVideo, "the pictures", false},
                              PortSpec{"audio", reel::kTakesAudio, "the sound, interleaved", false}};

constexpr std::array kOptions{
    OptionSpec{"uri", OptionType::path, nullptr,
               "what to play: a file's path, file:///path, or test://PATTERN such as test://smpte or "
               "test://ball?width=320&height=240&fps=25&frames=100&tone=1000&volume=0.5"},
    OptionSpec{"realtime", OptionType::boolean, "true",
               "frames come when they are due; false: as fast as the readers take them"},
    OptionSpec{"loop", OptionType::boolean, "false", "play again and again; times go on increasing"},
    OptionSpec{
        "audio", OptionType::text, "required",
        "a clip without sound, where 'audio' is connected: required: an error; optional: a warning, and "
        "a stream that ends at once",
        "required|optional"},
    OptionSpec{"format", OptionType::text, "own",
               "pixel format to convert to; own: the decoder's, or the nearest that Reel has (test://: I420)",
               "own|I420|NV12|NV21|YUY2|UYVY|RGB|BGR|RGBx|BGRx|RGBA|BGRA|Y444|GRAY8|GRAY16_LE"},
    OptionSpec{
        "audio_format", OptionType::text, "own",
        "sample format to convert to; own: the decoder's, or the nearest that Reel has (test://: S16LE)",
        "own|S16LE|S32LE|F32LE"},
    OptionSpec{"rate", OptionType::integer, "0",
               "samples a second to convert to; 0: the decoder's (test://: 48000)", "0..768000"},
    OptionSpec{"channels", OptionType::integer, "0",
               "audio channels to convert to; 0: the decoder's (test://: 2)", "0..64"},
    OptionSpec{"pattern", OptionType::text, "smpte", "test:// only: the picture where the URI names none"},
    OptionSpec{"width", OptionType::integer, "1280", "test:// only: pixels", "1..32768"},
    OptionSpec{"height", OptionType::integer, "720", "test:// only: pixels", "1..32768"},
    OptionSpec{"fps", OptionType::text, "30", "test:// only: frames a second, such as 25 or 30000/1001"},
    OptionSpec{"frames", OptionType::integer, "0", "test:// only: how many frames; 0: without end",
               "0..2147483647"},
    OptionSpec{"tone", OptionType::number, "440", "test:// only: the tone's frequency in Hz; 0: silence",
               "0..24000"},
    OptionSpec{"volume", OptionType::number, "0.5", "test:// only: the tone's peak, 1 is full scale",
               "0..1"}};

class Capture : public reel::Stage {
 public:
  ~Capture() override { close(); }
  void configure(const reel::Options& options) override;
  void start(reel::StageContext& context) override;
  bool produce(reel::StageContext& context) override;
  void stop(reel::StageContext& context) override;

 private:
  [[nodiscard]] bool open(reel::StageContext& context);
  [[nodiscard]] Playback::Preroll preroll(reel::StageContext& context);
  void go_on_without_sound();
  void set_format(std::optional<Publisher>& publisher, GstAppSink* sink);
  void play();
  void start_pump(std::unique_ptr<Pump>& pump, std::optional<Publisher>& publisher, GstAppSink* sink);
  [[nodiscard]] bool next_pass(reel::StageContext& context);
  void close() noexcept;

  std::unique_ptr<Source> source_;
  Conversion conversion_;
  bool realtime_ = true;
  bool audio_optional_ = false;
  reel::Output* silent_ = nullptr;  // of a clip without sound
  Timeline timeline_;
  GstClockTime first_base_time_ = GST_CLOCK_TIME_NONE;  // of the first pass

  // In this order: pumps end before what they use.
  std::optional<Publisher> video_;
  std::optional<Publisher> audio_;
  std::unique_ptr<Playback> playback_;
  std::unique_ptr<Pump> video_pump_;
  std::unique_ptr<Pump> audio_pump_;
};

void Capture::configure(const reel::Options& options) {
  GError* raw = nullptr;
  const bool ready = gst_init_check(nullptr, nullptr, &raw) != FALSE;
  const reel::gst::Ptr<GError> error(raw);
  if (!ready)
    throw Error(ErrorCode::unsupported,
                std::string("GStreamer does not start: ") + (error ? error->message : "?"));
  conversion_ = {options.text("format"), options.text("audio_format"), options.integer("rate"),
                 options.integer("channels")};
  realtime_ = options.boolean("realtime");
  timeline_.loop = options.boolean("loop");
  audio_optional_ = options.text("audio") == "optional";
  source_ = make_source(options);
}

void Capture::start(reel::StageContext& context) {
  if (reel::Output* output = context.find_output("video")) video_.emplace(*output);
  if (reel::Output* output = context.find_output("audio")) audio_.emplace(*output);
  if (!video_ && !audio_)
    throw Error(ErrorCode::bad_config,
                "neither 'video' nor 'audio' is connected: name a stream for one of them in 'out'");
  try {
    if (!open(context)) return;
    // The clock starts when the readers are there, so that none of them is met by a burst of late frames.
    if (video_) static_cast<void>(video_->output().writer().wait_for_readers());
    if (audio_) static_cast<void>(audio_->output().writer().wait_for_readers());
    if (silent_ != nullptr) {
      static_cast<void>(silent_->writer().wait_for_readers());
      silent_->writer().end();
    }
    play();
  } catch (...) {
    close();
    throw;
  }
}

// Builds the pipeline and decodes the first frames. False when the stage is to stop.
bool Capture::open(reel::StageContext& context) {
  source_->check();
  Playback::Preroll result = preroll(context);
  if (result == Playback::Preroll::silent) {
    go_on_without_sound();
    result = preroll(context);
  }
  if (result != Playback::Preroll::ready) {
    close();
    return false;
  }
  set_format(video_, playback_->video_sink());
  set_format(audio_, playback_->audio_sink());
  return true;
}

Playback::Preroll Capture::preroll(reel::StageContext& context) {
  const Wanted wanted{video_.has_value(), audio_.has_value(), audio_optional_ && video_.has_value()};
  playback_.reset();
  playback_ = std::make_unique<Playback>(*source_, wanted, conversion_, realtime_,
                                         video_ ? video_->slots() : nullptr);
  return playback_->preroll([&] { return context.stopping(); });
}

// The stream of the sound is one that has a format, so that its readers can join and see its end.
void Capture::go_on_without_sound() {
  silent_ = &audio_->output();
  audio_.reset();
  silent_->set_format(reel::AudioFormat{reel::SampleFormat::S16LE, 48'000, 2});
}

// Readers can join once the format is known.
void Capture::set_format(std::optional<Publisher>& publisher, GstAppSink* sink) {
  if (!publisher) return;
  const reel::gst::Ptr<GstSample> sample(gst_app_sink_try_pull_preroll(sink, 0));
  if (sample) {
    publisher->set_format(sample.get());
    return;
  }
  const std::string defect = source_->defect();
  throw Error(ErrorCode::bad_config,
              "\"" + source_->uri() + "\" ended before its first frame for the output '" +
                  publisher->output().port() +
                  "': " + (defect.empty() ? "it is damaged or holds none; copy or record it again" : defect));
}

void Capture::play() {
  if (first_base_time_ == GST_CLOCK_TIME_NONE) first_base_time_ = gst_clock_get_time(playback_->clock());
  if (realtime_)
    timeline_.monotonic_offset_ns =
        static_cast<std::int64_t>(first_base_time_) + reel::gst::monotonic_minus(playback_->clock());
  playback_->play(first_base_time_ + static_cast<GstClockTime>(timeline_.shift_ns));
  start_pump(video_pump_, video_, playback_->video_sink());
  start_pump(audio_pump_, audio_, playback_->audio_sink());
}

void Capture::start_pump(std::unique_ptr<Pump>& pump, std::optional<Publisher>& publisher, GstAppSink* sink) {
  if (!publisher) return;
  publisher->begin(timeline_);
  pump = std::make_unique<Pump>(*publisher, sink, [playback = playback_.get()] { playback->wake(); });
}

bool Capture::produce(reel::StageContext& context) {
  if (!playback_) return false;
  try {
    playback_->wait(100);
    bool all_ended = true;
    for (const Pump* pump : {video_pump_.get(), audio_pump_.get()}) {
      if (pump == nullptr) continue;
      if (!pump->ended()) {
        all_ended = false;
        continue;
      }
      pump->rethrow();
      if (pump->stopped()) return false;
    }
    if (context.stopping()) return false;
    return !all_ended || next_pass(context);
  } catch (...) {
    close();
    throw;
  }
}

// The media have ended. False when that is the end of the stage too.
bool Capture::next_pass(reel::StageContext& context) {
  playback_->wait(0);  // an error that came together with the end
  const std::string defect = source_->defect();
  if (!defect.empty())
    throw Error(ErrorCode::bad_config, "\"" + source_->uri() + "\" was played as far as it goes: " + defect);
  if (!timeline_.loop) return false;
  timeline_.shift_ns += std::max(video_ ? video_->pass_end_ns() : 0, audio_ ? audio_->pass_end_ns() : 0);
  close();
  if (!open(context)) return false;
  play();
  return true;
}

void Capture::stop(reel::StageContext& /*context*/) {
  close();
}

// Safe at any time: pumps first (they use the playback), then GStreamer to NULL.
void Capture::close() noexcept {
  video_pump_.reset();
  audio_pump_.reset();
  playback_.reset();
}

}  // namespace

REEL_STAGE(Capture, "capture", "plays files and test pictures as streams of video and audio", reel::no_ports,
           kOutputs, kOptions)

}  // namespace capture
