// Stage `audio.mix`: several sounds at once. Each lies where its times say; the mix goes on when every input
// has brought its part, or has let the others wait for too long.
#include "mixer.hpp"
#include "samples.hpp"
#include "sound_filter.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kInputs{
    PortSpec{"in", reel::kTakesAudio,
             "raw sound of one rate; mono becomes every channel, and many become mono", true, true}};
constexpr std::array kOutputs{PortSpec{"out", reel::kTakesAudio, "all of them together"}};
constexpr std::array kOptions{
    OptionSpec{"gains_db", OptionType::list, "",
               "decibels for each input, in their order; 0 for those that are not named"},
    OptionSpec{"align", OptionType::text, "times",
               "times: sounds of the same time go together; arrival: each begins when it comes (of sources "
               "whose times have nothing to do with one another)",
               "times|arrival"},
    OptionSpec{"max_wait_ms", OptionType::integer, "2000",
               "how long the mix waits for an input that brings nothing; then it goes on without it; 0: "
               "until there is a minute of sound of another",
               "0..3600000"},
    OptionSpec{"format", OptionType::text, "own",
               "sample format of the mix; own: that of the first sound that comes", "own|S16LE|S32LE|F32LE"},
    OptionSpec{"channels", OptionType::integer, "0", "of the mix; 0: as many as the first sound has",
               "0..64"},
    OptionSpec{"frame_ms", OptionType::integer, "20", "length of the frames that come out", "1..1000"}};

constexpr std::int64_t kJitter_ns = 40'000'000;    // times that are less off are taken for rounding
constexpr std::int64_t kMostWaiting_s = 60;        // of sound; more is not kept for anybody
constexpr std::int64_t kAheadFreely_s = 5;         // an input further ahead of the others is slowed down
constexpr std::int64_t kBrake_ns_a_s = 5'000'000;  // for each second more, at each of its frames
constexpr double kMostBrake = 0.95;  // of a frame's length: whoever comes in real time does not notice
constexpr std::int64_t kMostSilence_s = 10;  // of all inputs; longer silence is left out: times jumped

std::vector<double> factors_of(const std::vector<std::string>& texts) {
  std::vector<double> factors;
  for (const std::string& text : texts) {
    double decibels = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), decibels);
    if (failed != std::errc{} || end != text.data() + text.size() || !(decibels >= -120 && decibels <= 60))
      throw reel::Error(reel::ErrorCode::bad_config,
                        "gains_db: \"" + text + "\" is no number from -120 to 60 (decibels)");
    factors.push_back(std::pow(10.0, decibels / 20));
  }
  return factors;
}

class Mix final : public reel::Stage {
 public:
  void configure(const reel::Options& options) override;
  void start(reel::StageContext& context) override;
  void process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;
  void other(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;
  void input_ended(reel::StageContext& context, reel::Input& input) override;

 private:
  void require_fit(const reel::AudioFormat& format, const std::string& stream);
  [[nodiscard]] std::vector<double> samples_of(const reel::Frame& frame, double factor) const;
  [[nodiscard]] std::optional<std::int64_t> place_of(const reel::Frame& frame, std::size_t track);
  void slow_down(const reel::Frame& frame, std::size_t track) const;
  void give(reel::Output& output);
  void give_frame(reel::Output& output, std::int64_t frames);
  [[nodiscard]] bool waited_enough();

  std::vector<double> factors_;
  bool by_times_ = true, warned_ = false, told_behind_ = false, told_late_ = false;
  std::int64_t max_wait_ns_ = 0, frame_ms_ = 20;
  std::optional<reel::SampleFormat> sample_;
  std::uint32_t channels_ = 0;
  struct Part {
    double factor = 1;
    bool begun = false;  // it has brought something
    bool ended = false;  // it brings nothing more
  };
  std::vector<Part> parts_;   // one for each input
  bool skipped_ = false;      // the next frame does not continue the one before
  reel::AudioFormat format_;  // of the mix, once rate_hz is not 0
  std::optional<Mixer> mixer_;
  std::int64_t waiting_since_ns_ = reel::kNoTime;  // CLOCK_MONOTONIC; somebody has a frame, others have not
};

void Mix::configure(const reel::Options& options) {
  factors_ = factors_of(options.list("gains_db"));
  by_times_ = options.text("align") == "times";
  max_wait_ns_ = options.integer("max_wait_ms") * 1'000'000;
  sample_ = reel::sample_format_from(options.text("format"));
  channels_ = static_cast<std::uint32_t>(options.integer("channels"));
  frame_ms_ = options.integer("frame_ms");
}

void Mix::start(reel::StageContext& context) {
  const std::size_t inputs = context.inputs().size();
  if (factors_.size() > inputs)
    throw reel::Error(reel::ErrorCode::bad_config, "gains_db has " + std::to_string(factors_.size()) +
                                                       " numbers for " + std::to_string(inputs) +
                                                       " inputs: remove those too many");
  parts_.resize(inputs);
  for (std::size_t i = 0; i < factors_.size(); ++i) parts_[i].factor = factors_[i];
}

void Mix::require_fit(const reel::AudioFormat& format, const std::string& stream) {
  if (!mixer_) {
    format_ = format;
    if (sample_) format_.sample = *sample_;
    if (channels_ != 0) format_.channels = channels_;
    mixer_.emplace(parts_.size(), format_.channels);
    for (std::size_t i = 0; i < parts_.size(); ++i)
      if (parts_[i].ended) mixer_->end(i);
  }
  if (format.rate_hz != format_.rate_hz)
    throw reel::Error(reel::ErrorCode::bad_config,
                      "the stream '" + stream + "' has " + std::to_string(format.rate_hz) +
                          " samples a second and the mix " + std::to_string(format_.rate_hz) +
                          ": convert one of them, such as by capture's option `rate`");
  if (format.channels != format_.channels && format.channels != 1 && format_.channels != 1)
    throw reel::Error(reel::ErrorCode::bad_config,
                      "the stream '" + stream + "' has " + std::to_string(format.channels) +
                          " channels and the mix " + std::to_string(format_.channels) +
                          ": set the option `channels` to 1, or convert one of them");
}

// In the mix's channels.
std::vector<double> Mix::samples_of(const reel::Frame& frame, double factor) const {
  const reel::AudioFormat& from = *frame.format().audio();
  const std::size_t frames = frame.data().size() / reel::sample_frame_bytes(from);
  std::vector<double> values(frames * from.channels);
  read_samples(from.sample, frame.data(), values);
  for (double& value : values) value = std::isfinite(value) ? value * factor : 0;
  if (from.channels == format_.channels) return values;
  std::vector<double> mapped(frames * format_.channels);
  for (std::size_t i = 0; i < frames; ++i) {
    if (from.channels == 1) {
      std::fill_n(mapped.begin() + static_cast<std::ptrdiff_t>(i * format_.channels), format_.channels,
                  values[i]);
      continue;
    }
    double sum = 0;
    for (std::size_t channel = 0; channel < from.channels; ++channel)
      sum += values[i * from.channels + channel];
    mapped[i] = sum / from.channels;
  }
  return mapped;
}

// Where the frame's time puts it; nullopt: behind the frame before it.
std::optional<std::int64_t> Mix::place_of(const reel::Frame& frame, std::size_t track) {
  const bool first = !std::exchange(parts_[track].begun, true);
  if (!by_times_ || frame.info().pts_ns == reel::kNoTime) return std::nullopt;
  // A peer's numbers: their sum may be beyond 64 bits.
  auto time_ns = static_cast<double>(frame.info().pts_ns);
  if (const reel::Segment* segment = frame.segment(); segment != nullptr)
    time_ns += static_cast<double>(segment->base_ns) - static_cast<double>(segment->start_ns);
  const auto position = static_cast<std::int64_t>(std::llround(time_ns * 1e-9 * format_.rate_hz));
  const std::int64_t off = std::abs(position - mixer_->end_of(track));
  const bool jitter = static_cast<double>(off) * 1e9 / format_.rate_hz < static_cast<double>(kJitter_ns);
  return !first && jitter ? std::nullopt : std::optional(position);
}

void Mix::process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) {
  require_fit(*frame.format().audio(), input.stream());
  const std::span<const std::byte> said = frame.side_data().bytes();
  const std::optional<std::int64_t> place = place_of(frame, input.index());
  mixer_->add(input.index(), place, samples_of(frame, parts_[input.index()].factor),
              {frame.info().capture_ns, {said.begin(), said.end()}});
  if (mixer_->too_late() > format_.rate_hz && !std::exchange(told_late_, true))
    reel::log_warning(
        "more than a second of sound, the last of it from the stream '" + input.stream() +
        "', came too late for the mix and is left out: raise max_wait_ms, or set align: arrival "
        "where the inputs' times have nothing to do with one another");
  give(context.output());
  slow_down(frame, input.index());
}

// Inputs are read in turn: while one is waited for here, the others come up. Without it a clip that decodes
// faster would soon be further ahead than is kept.
void Mix::slow_down(const reel::Frame& frame, std::size_t track) const {
  const std::int64_t ahead = mixer_->end_of(track) - mixer_->position() - mixer_->complete();
  const std::int64_t over_s = ahead / format_.rate_hz - kAheadFreely_s;
  if (over_s <= 0 || parts_.size() == 1) return;
  const std::size_t frames = frame.data().size() / reel::sample_frame_bytes(*frame.format().audio());
  const double most_ns = kMostBrake * 1e9 * static_cast<double>(frames) / format_.rate_hz;
  const double brake_ns = std::min(most_ns, static_cast<double>(over_s * kBrake_ns_a_s));
  // A stop is noticed in between.
  std::this_thread::sleep_for(std::chrono::nanoseconds(std::llround(std::min(brake_ns, 1e8))));
}

// A gap is silence; events go on.
void Mix::other(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) {
  if (frame.format().audio() == nullptr) return;
  require_fit(*frame.format().audio(), input.stream());
  if (frame.info().kind == reel::FrameKind::event) {
    context.output().set_format(format_);
    context.output().write(frame.data(), frame.info(), frame.side_data());
    return;
  }
  const std::optional<std::int64_t> place = place_of(frame, input.index());
  if (frame.info().duration_ns == reel::kNoTime) return;
  const double frames = static_cast<double>(frame.info().duration_ns) * 1e-9 * format_.rate_hz;
  mixer_->add_silence(input.index(), place.value_or(mixer_->end_of(input.index())) +
                                         static_cast<std::int64_t>(std::llround(frames)));
  give(context.output());
}

void Mix::input_ended(reel::StageContext& context, reel::Input& input) {
  parts_[input.index()].ended = true;
  if (!mixer_) return;
  mixer_->end(input.index());
  give(context.output());
  const bool all = std::all_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.ended; });
  if (all && mixer_->brought() > 0) give_frame(context.output(), mixer_->brought());  // less than a whole one
}

// True when the inputs that bring nothing are not to be waited for any longer.
bool Mix::waited_enough() {
  const std::int64_t now_ns = reel::monotonic_ns();
  if (waiting_since_ns_ == reel::kNoTime) waiting_since_ns_ = now_ns;
  const bool too_much = mixer_->brought() > kMostWaiting_s * format_.rate_hz;
  return too_much || (max_wait_ns_ > 0 && now_ns - waiting_since_ns_ >= max_wait_ns_);
}

void Mix::give(reel::Output& output) {
  const std::int64_t frames = std::max<std::int64_t>(1, format_.rate_hz * frame_ms_ / 1000);
  while (mixer_->brought() >= frames) {
    if (mixer_->skip_silence(kMostSilence_s * format_.rate_hz)) skipped_ = true;
    if (mixer_->complete() < frames) {
      if (!waited_enough()) return;
      const std::size_t left = mixer_->leave_behind(frames);
      if (!std::exchange(told_behind_, true))
        reel::log_warning("the mix goes on without " + std::to_string(left) +
                          " of its inputs, which bring nothing: max_wait_ms says how long it waits");
    }
    give_frame(output, frames);
    waiting_since_ns_ = reel::kNoTime;
  }
}

void Mix::give_frame(reel::Output& output, std::int64_t frames) {
  output.set_format(format_);
  const auto time_at = [this](std::int64_t position) {
    return static_cast<std::int64_t>(std::llround(static_cast<double>(position) * 1e9 / format_.rate_hz));
  };
  reel::FrameInfo info;
  if (std::exchange(skipped_, false)) info.flags |= reel::kDiscont;
  info.pts_ns = time_at(mixer_->position());
  info.duration_ns = time_at(mixer_->position() + frames) - info.pts_ns;
  std::vector<double> samples(static_cast<std::size_t>(frames) * format_.channels);
  std::vector<PieceNotes> notes;
  mixer_->take(samples, notes);
  reel::Loan loan = output.acquire(samples.size() * reel::sample_bytes(format_.sample));
  write_samples(format_.sample, samples, loan.data());
  bool fits = true;
  for (const PieceNotes& said : notes) {
    if (said.capture_ns != reel::kNoTime &&
        (info.capture_ns == reel::kNoTime || said.capture_ns < info.capture_ns))
      info.capture_ns = said.capture_ns;
    fits = loan.side_data().add_all(reel::SideDataView(said.side_data)) && fits;
  }
  if (!fits && !std::exchange(warned_, true)) tell_left_out(output, loan.side_data());
  output.publish(std::move(loan), info);
}

}  // namespace

REEL_STAGE(Mix, "audio.mix", "several sounds at once", kInputs, kOutputs, kOptions)
