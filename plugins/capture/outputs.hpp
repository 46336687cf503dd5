// The connected outputs of the stage, each with its publisher and, while frames flow, its pump. Made and
// asked by the stage's thread.
#pragma once

#include <memory>
#include <string>

#include <reel/stage/stage.hpp>

#include "playback.hpp"
#include "publisher.hpp"
#include "pump.hpp"
#include "wanted.hpp"

namespace capture {

class Outputs {
 public:
  /// `in_place`: see Publisher. Throws reel::Error{bad_config} when none is connected.
  Outputs(reel::StageContext& context, bool in_place);

  /// What there is to be played, `audio_optional` where there is something else too.
  [[nodiscard]] Wanted wanted(bool audio_optional) const;
  [[nodiscard]] Publisher* publisher(Media media) const noexcept { return publishers_[media].get(); }
  /// Where decoders may write; nullptr where they shall not.
  [[nodiscard]] std::shared_ptr<reel::gst::StreamSlots> video_slots() const;

  /// There is no sound, and it was optional: its streams get a format, so that readers can join and see their
  /// end, and are outputs no more. REQUIRES: not flowing.
  void silence();
  /// Waits until the declared readers of each are there, or its start_timeout; streams without sound end
  /// then.
  void wait_for_readers();
  /// Ends the streams that were silenced.
  void end_silent();

  /// Frames of `playback` flow from here on, which must live until stop().
  void flow(Playback& playback, const Timeline& timeline);
  /// No thread publishes afterwards.
  void stop() noexcept;

  enum class Flow {
    on,
    ended,   // each has published its last frame
    stopped  // one was told to stop while it waited
  };
  /// Throws what ended a pump.
  [[nodiscard]] Flow flowing() const;
  [[nodiscard]] bool any_published() const noexcept;
  /// Running time at which the longest of them has ended.
  [[nodiscard]] std::int64_t pass_end_ns() const noexcept;

 private:
  PerMedia<std::unique_ptr<Publisher>> publishers_;
  PerMedia<reel::Output*> silent_;
  PerMedia<std::unique_ptr<Pump>> pumps_;  // behind what they use
};

}  // namespace capture
