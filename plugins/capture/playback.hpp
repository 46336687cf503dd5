// One life of a GStreamer pipeline: a source, and for each connected output a chain that ends in an appsink.
// A loop makes a new playback for each pass. All calls but wake() come from the stage's thread; GStreamer's
// own threads post to the bus only.
#pragma once

#include "failure.hpp"
#include "source.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gst/app/gstappsink.h>

#include <reel/gst/pointers.hpp>
#include <reel/gst/stream_slots.hpp>

namespace capture {

/// What the outputs are to be given; "own": as the decoder has it.
struct Conversion {
  std::string pixel;
  std::string sample;
  std::int64_t rate_hz = 0;   // 0: own
  std::int64_t channels = 0;  // 0: own
};

class Playback {
 public:
  /// Builds the pipeline, in state NULL; pictures are decoded into `video_slots`, where there are any wanted.
  /// Throws reel::Error{unsupported} when an element is missing.
  Playback(const Source& source, const Wanted& wanted, const Conversion& conversion, bool realtime,
           std::shared_ptr<reel::gst::StreamSlots> video_slots);
  Playback(const Playback&) = delete;
  Playback& operator=(const Playback&) = delete;
  /// Takes the pipeline to NULL: no thread of GStreamer's runs afterwards.
  ~Playback();

  enum class Preroll {
    ready,
    stopped,  // `stopping` said so meanwhile
    silent    // there is no sound, and it was optional: of use no more, make one without
  };
  /// Opens the source and decodes until each output has its first frame at hand. Throws reel::Error naming
  /// the URI, what is wrong and the fix.
  [[nodiscard]] Preroll preroll(const std::function<bool()>& stopping);

  /// Lets frames flow; realtime ones are due at `base_time` plus their running time, on clock().
  void play(GstClockTime base_time);

  /// Waits for the bus. Returns after wake(), a message or the time. Throws reel::Error when playing failed.
  void wait(int timeout_ms);
  /// Thread-safe.
  void wake() noexcept;

  /// nullptr when the output is not wanted. Owned by the playback.
  [[nodiscard]] GstAppSink* video_sink() const noexcept { return GST_APP_SINK_CAST(video_.sink); }
  [[nodiscard]] GstAppSink* audio_sink() const noexcept { return GST_APP_SINK_CAST(audio_.sink); }
  [[nodiscard]] GstClock* clock() const noexcept { return clock_.get(); }

 private:
  struct Chain {
    GstElement* entry = nullptr;  // both belong to the pipeline
    GstElement* sink = nullptr;
  };

  [[nodiscard]] Chain add_chain(const std::vector<const char*>& factories, const std::string& caps_text,
                                bool realtime);
  void link_pad(GstPad* pad);
  /// Once the source has shown all it has: throws for an output that got nothing, but for sound that is
  /// optional.
  void check_links();
  [[nodiscard]] std::optional<reel::Error> missing_link(const Chain& chain, const char* what,
                                                        const char* port) const;
  /// True for the pipeline's ASYNC_DONE. Throws for errors.
  bool handle(GstMessage* message);
  [[noreturn]] void fail(GstMessage* message);

  static void on_pad_added(GstElement* element, GstPad* pad, gpointer self);
  static void on_no_more_pads(GstElement* element, gpointer self);

  const Source& source_;
  const bool audio_optional_;
  bool silent_ = false;
  reel::gst::Ptr<GstElement> pipeline_;
  reel::gst::Ptr<GstBus> bus_;
  reel::gst::Ptr<GstClock> clock_;
  std::shared_ptr<reel::gst::StreamSlots> video_slots_;
  Chain video_;
  Chain audio_;
  std::vector<MissingPlugin> missing_;
};

}  // namespace capture
