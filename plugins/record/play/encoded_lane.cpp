#include "play/encoded_lane.hpp"

#include <utility>

#include <reel/gst/caps.hpp>
#include <reel/gst/frame_info.hpp>

namespace record {

std::optional<PlayFrame> EncodedLane::make() {
  if (units().empty()) {
    if (finished()) facts().end();
    return std::nullopt;
  }
  const QueuedUnit& queued = units().front();
  if (caps_ != queued.unit.caps) {
    caps_ = queued.unit.caps;
    format_ = std::make_shared<const reel::Format>(reel::gst::format_from_caps(caps_.get()));
  }
  PlayFrame frame;
  frame.media_ns = queued.unit.time_ns;
  frame.format = format_;
  frame.buffer = queued.unit.buffer;
  describe(frame, queued);
  units().pop();
  return frame;
}

void EncodedLane::describe(PlayFrame& frame, const QueuedUnit& queued) {
  const bool one_by_one = queued.video || (queued.published_as && queued.published_as->encoded() != nullptr);
  std::optional<FrameFacts> known;
  if (one_by_one) {
    known = facts().take(queued.unit.time_ns);
  } else {
    // Blocks of sound are not the codec's: their times are.
    while (!facts().empty() &&
           (!before_ || facts().front().media_ns <= queued.unit.time_ns + FactsQueue::kTolerance_ns))
      before_ = facts().pop();
  }
  if (known) {
    frame.media_ns = known->media_ns;
    frame.info = known->info;
    frame.side_data = std::move(known->side_data);
  } else if (before_) {
    frame.info = times_after(*before_, queued.unit.time_ns);
    frame.info.duration_ns = reel::gst::frame_info(queued.unit.buffer.get()).duration_ns;
  } else {
    frame.info = reel::gst::frame_info(queued.unit.buffer.get());
  }
  frame.info.flags &= ~static_cast<std::uint32_t>(reel::kKeyFrame);
  if (queued.unit.key) frame.info.flags |= reel::kKeyFrame;
}

}  // namespace record
