#include "clip_run.hpp"

#include <algorithm>
#include <string>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/gst/clock.hpp>

namespace capture {

using reel::Error;
using reel::ErrorCode;

ClipRun::ClipRun(const Source& source, const ClipPlan& plan, reel::StageContext& context)
    : source_(source),
      plan_(plan),
      context_(context),
      outputs_(context, plan.pace == Pace::clock || plan.pace == Pace::readers) {
  timeline_.loop = plan.loop;
  const Wanted wanted = outputs_.wanted(false);
  if (plan.pace == Pace::clip_as_camera &&
      (wanted.has(Media::video_encoded) || wanted.has(Media::audio_encoded)))
    throw Error(ErrorCode::bad_config,
                "the option live drops frames of clips, which an encoded output cannot spare: leave it out, "
                "and give the streams live: true");
}

void ClipRun::start() {
  try {
    if (!open()) return;
    // The clock starts when the readers are there, so that none of them is met by a burst of late frames.
    if (plan_.pace != Pace::clip_as_camera) outputs_.wait_for_readers();
    outputs_.end_silent();
    play();
  } catch (...) {
    close();
    throw;
  }
}

// Builds the pipeline and decodes the first frames. False when the stage is to stop.
bool ClipRun::open() {
  source_.check();
  Playback::Preroll result = preroll();
  if (result == Playback::Preroll::silent) {
    outputs_.silence();
    result = preroll();
  }
  if (result != Playback::Preroll::ready) {
    close();
    return false;
  }
  for (const Media media : kAllMedia) set_format(media);
  return true;
}

Playback::Preroll ClipRun::preroll() {
  playback_.reset();
  playback_ = std::make_unique<Playback>(source_, outputs_.wanted(plan_.audio_optional), plan_.conversion,
                                         plan_.pace, outputs_.video_slots());
  return playback_->preroll([this] { return context_.stopping(); });
}

// Readers can join once the format is known.
void ClipRun::set_format(Media media) {
  Publisher* const publisher = outputs_.publisher(media);
  if (publisher == nullptr) return;
  const reel::gst::Ptr<GstSample> sample(gst_app_sink_try_pull_preroll(playback_->branches().sink(media), 0));
  if (sample) {
    publisher->set_format(sample.get());
    return;
  }
  const std::string defect = source_.defect();
  throw Error(ErrorCode::bad_config,
              "\"" + source_.uri() + "\" ended before its first frame for the output '" +
                  publisher->output().port() +
                  "': " + (defect.empty() ? "it is damaged or holds none; copy or record it again" : defect));
}

void ClipRun::play() {
  if (first_base_time_ == GST_CLOCK_TIME_NONE) first_base_time_ = gst_clock_get_time(playback_->clock());
  if (plan_.pace != Pace::readers)
    timeline_.monotonic_offset_ns =
        static_cast<std::int64_t>(first_base_time_) + reel::gst::monotonic_minus(playback_->clock());
  playback_->play(first_base_time_ + static_cast<GstClockTime>(timeline_.shift_ns));
  outputs_.flow(*playback_, timeline_);
}

bool ClipRun::produce() {
  if (!playback_) return false;
  try {
    playback_->wait(100);
    const Outputs::Flow flow = outputs_.flowing();
    if (flow == Outputs::Flow::stopped || context_.stopping()) return false;
    return flow == Outputs::Flow::on || next_pass();
  } catch (...) {
    close();
    throw;
  }
}

// The media have ended. False when that is the end of the stage too.
bool ClipRun::next_pass() {
  playback_->wait(0);  // an error that came together with the end
  const std::string defect = source_.defect();
  if (!defect.empty())
    throw Error(ErrorCode::bad_config, "\"" + source_.uri() + "\" was played as far as it goes: " + defect);
  tell_of_drops();
  if (!timeline_.loop) return false;
  timeline_.shift_ns += outputs_.pass_end_ns();
  timeline_.continues = true;
  close();
  if (!open()) return false;
  play();
  return true;
}

void ClipRun::tell_of_drops() {
  if (plan_.pace != Pace::clip_as_camera) return;
  std::uint64_t arrived = 0;
  std::uint64_t published = 0;
  for (const Media media : kAllMedia) {
    if (outputs_.publisher(media) == nullptr) continue;
    arrived += playback_->branches().arrived(media);
    published += outputs_.publisher(media)->published();
  }
  const std::uint64_t dropped = arrived - std::min(arrived, published - published_before_);
  published_before_ = published;
  if (dropped != 0)
    reel::log_warning("\"" + source_.uri() + "\": " + std::to_string(dropped) + " of " +
                      std::to_string(arrived) +
                      " frames were dropped, since its streams did not take them in time: live: true for "
                      "the streams themselves leaves only those readers behind that are slow");
}

// Pumps first (they use the playback), then GStreamer to NULL.
void ClipRun::close() noexcept {
  outputs_.stop();
  playback_.reset();
}

}  // namespace capture
