// One life of a GStreamer pipeline: a source and the branches that lead its frames to the connected outputs.
// A loop makes a new playback for each pass, a camera for each connection. All calls but wake() come from the
// stage's thread; GStreamer's own threads post to the bus only.
#pragma once

#include "branches.hpp"
#include "failure.hpp"
#include "source.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <reel/gst/pointers.hpp>
#include <reel/gst/stream_slots.hpp>

namespace capture {

class Playback {
 public:
  /// Builds the pipeline, in state NULL; pictures are decoded into `video_slots`, where there are any.
  /// Throws reel::Error{unsupported} when an element is missing.
  Playback(const Source& source, const Wanted& wanted, const Conversion& conversion, Pace pace,
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
  /// Clips: opens the source and decodes until each output has its first frame at hand. Throws reel::Error
  /// naming the URI, what is wrong and the fix.
  [[nodiscard]] Preroll preroll(const std::function<bool()>& stopping);

  /// Lets frames flow; paced ones are due at `base_time` plus their running time, on clock(). Of a camera,
  /// which has no preroll, this is all there is to do: what fails later, wait() throws.
  void play(GstClockTime base_time);

  /// Waits for the bus. Returns after wake(), a message or the time. Throws reel::Error when playing failed.
  void wait(int timeout_ms);
  /// Thread-safe.
  void wake() noexcept;

  /// What GStreamer warned of within the last second, which is not in the log yet: often why it ends next.
  [[nodiscard]] std::string take_warning() { return std::exchange(warning_, {}); }
  /// The source has shown all it has: there is no sound among it, and it was optional.
  [[nodiscard]] bool silent() const noexcept { return silent_; }
  [[nodiscard]] const Branches& branches() const noexcept { return *branches_; }
  [[nodiscard]] GstClock* clock() const noexcept { return clock_.get(); }

 private:
  /// Once the source has shown all it has: throws for an output that got nothing, but for sound that is
  /// optional.
  void check_links();
  [[nodiscard]] std::optional<reel::Error> missing_link(Media media) const;
  /// True for the pipeline's ASYNC_DONE. Throws for errors.
  bool handle(GstMessage* message);
  void log_warning() noexcept;
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
  std::unique_ptr<Branches> branches_;
  std::vector<MissingPlugin> missing_;
  std::string warning_;
  std::int64_t warned_ns_ = 0;
};

}  // namespace capture
