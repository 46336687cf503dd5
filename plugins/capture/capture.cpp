// Stage `capture`: files, test pictures, cameras and servers as streams, through GStreamer. The stage's
// thread opens, watches the bus and connects again; each output has a pump of its own.
#include <memory>
#include <string>

#include <gst/gst.h>

#include <reel/base/error.hpp>
#include <reel/stage/plugin.hpp>

#include "camera_run.hpp"
#include "clip_run.hpp"
#include "options.hpp"
#include "source.hpp"

namespace capture {
namespace {

using reel::Error;
using reel::ErrorCode;

void start_gstreamer() {
  GError* raw = nullptr;
  const bool ready = gst_init_check(nullptr, nullptr, &raw) != FALSE;
  const reel::gst::Ptr<GError> error(raw);
  if (!ready)
    throw Error(ErrorCode::unsupported,
                std::string("GStreamer does not start: ") + (error ? error->message : "?"));
}

Conversion conversion_from(const reel::Options& options) {
  return {options.text("format"), options.text("audio_format"), options.integer("rate"),
          options.integer("channels")};
}

class Capture : public reel::Stage {
 public:
  void configure(const reel::Options& options) override;
  void start(reel::StageContext& context) override;
  bool produce(reel::StageContext& /*context*/) override { return run_->produce(); }
  void stop(reel::StageContext& /*context*/) override { run_->close(); }

 private:
  void plan_clip(const reel::Options& options);
  void plan_camera(const reel::Options& options);

  std::unique_ptr<Source> source_;
  ClipPlan clip_;
  CameraPlan camera_;
  std::unique_ptr<Run> run_;  // behind the source that it uses
};

void Capture::configure(const reel::Options& options) {
  start_gstreamer();
  source_ = make_source(options);
  if (source_->is_camera())
    plan_camera(options);
  else
    plan_clip(options);
}

void Capture::plan_clip(const reel::Options& options) {
  clip_.conversion = conversion_from(options);
  clip_.loop = options.boolean("loop");
  clip_.audio_optional = options.text("audio") == "optional";
  const bool realtime = options.boolean("realtime");
  const bool live = options.boolean("live");
  if (live && !realtime)
    throw Error(ErrorCode::bad_config,
                "live: true sends frames when they are due, and realtime: false before that: leave one out");
  clip_.pace = live ? Pace::clip_as_camera : realtime ? Pace::clock : Pace::readers;
}

void Capture::plan_camera(const reel::Options& options) {
  if (!options.boolean("realtime") || options.boolean("loop"))
    throw Error(ErrorCode::bad_config,
                std::string("the option '") + (options.boolean("loop") ? "loop" : "realtime: false") +
                    "' is for clips, and \"" + source_->uri() + "\" is a camera: leave it out");
  camera_.conversion = conversion_from(options);
  camera_.audio_optional = options.text("audio") == "optional";
  camera_.reconnect = options.boolean("reconnect");
  camera_.stall_timeout_ms = options.duration_ms("stall_timeout");
  camera_.least_delay_ms = options.duration_ms("reconnect_delay");
  camera_.most_delay_ms = options.duration_ms("reconnect_delay_max");
  if (camera_.most_delay_ms < camera_.least_delay_ms)
    throw Error(ErrorCode::bad_config,
                "the option reconnect_delay_max (" + std::to_string(camera_.most_delay_ms) +
                    " ms) is less than reconnect_delay (" + std::to_string(camera_.least_delay_ms) + " ms)");
}

void Capture::start(reel::StageContext& context) {
  if (source_->is_camera())
    run_ = std::make_unique<CameraRun>(*source_, camera_, context);
  else
    run_ = std::make_unique<ClipRun>(*source_, clip_, context);
  run_->start();
}

}  // namespace

REEL_STAGE(Capture, "capture", "plays files, cameras and test pictures as streams of video and audio",
           reel::no_ports, kOutputs, kOptions)

}  // namespace capture
