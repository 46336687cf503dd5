#include "outputs.hpp"

#include <algorithm>

#include <reel/base/error.hpp>

namespace capture {

using reel::Error;
using reel::ErrorCode;

Outputs::Outputs(reel::StageContext& context, bool in_place) {
  bool any = false;
  for (const Media media : kAllMedia) {
    reel::Output* const output = context.find_output(port_of(media));
    if (output == nullptr) continue;
    publishers_[media] = std::make_unique<Publisher>(*output, media, in_place && media == Media::video);
    any = true;
  }
  if (!any)
    throw Error(ErrorCode::bad_config,
                "none of 'video', 'audio', 'video-encoded' and 'audio-encoded' is connected: name a stream "
                "for one of them in 'out'");
}

Wanted Outputs::wanted(bool audio_optional) const {
  Wanted wanted;
  for (const Media media : kAllMedia) wanted.outputs[media] = publishers_[media] != nullptr;
  wanted.audio_optional = audio_optional && wanted.any_video();
  return wanted;
}

std::shared_ptr<reel::gst::StreamSlots> Outputs::video_slots() const {
  return publishers_[Media::video] ? publishers_[Media::video]->slots() : nullptr;
}

void Outputs::silence() {
  for (const Media media : {Media::audio, Media::audio_encoded}) {
    if (!publishers_[media]) continue;
    pumps_[media].reset();
    silent_[media] = &publishers_[media]->output();
    const reel::AudioFormat none{reel::SampleFormat::S16LE, 48'000, 2};
    if (media == Media::audio)
      silent_[media]->set_format(none);
    else
      silent_[media]->set_format(
          reel::EncodedFormat{reel::Codec::aac, 0, 0, {}, none.rate_hz, none.channels});
    publishers_[media].reset();
  }
}

void Outputs::wait_for_readers() {
  for (const auto& publisher : publishers_)
    if (publisher) static_cast<void>(publisher->output().writer().wait_for_readers());
  for (reel::Output* output : silent_)
    if (output != nullptr) static_cast<void>(output->writer().wait_for_readers());
}

void Outputs::end_silent() {
  for (reel::Output*& output : silent_) {
    if (output != nullptr) output->writer().end();
    output = nullptr;
  }
}

void Outputs::flow(Playback& playback, const Timeline& timeline) {
  for (const Media media : kAllMedia) {
    if (!publishers_[media]) continue;
    publishers_[media]->begin(timeline);
    pumps_[media] = std::make_unique<Pump>(*publishers_[media], playback.branches().sink(media),
                                           [&playback] { playback.wake(); });
  }
}

void Outputs::stop() noexcept {
  for (auto& pump : pumps_) pump.reset();
}

Outputs::Flow Outputs::flowing() const {
  bool all_ended = true;
  for (const auto& pump : pumps_) {
    if (!pump) continue;
    if (!pump->ended()) {
      all_ended = false;
      continue;
    }
    pump->rethrow();
    if (pump->stopped()) return Flow::stopped;
  }
  return all_ended ? Flow::ended : Flow::on;
}

bool Outputs::any_published() const noexcept {
  return std::any_of(publishers_.begin(), publishers_.end(),
                     [](const auto& publisher) { return publisher && publisher->has_published(); });
}

std::int64_t Outputs::pass_end_ns() const noexcept {
  std::int64_t end_ns = 0;
  for (const auto& publisher : publishers_)
    if (publisher) end_ns = std::max(end_ns, publisher->pass_end_ns());
  return end_ns;
}

}  // namespace capture
