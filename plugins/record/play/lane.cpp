#include "play/lane.hpp"

#include "play/picture_lane.hpp"
#include "play/sound_lane.hpp"
#include "play/encoded_lane.hpp"

#include <utility>

namespace record {

std::optional<PlayFrame> Lane::next() {
  while (!over_) {
    std::optional<PlayFrame> frame = make();
    if (!frame) {
      if (!finished_) return std::nullopt;
      over_ = true;
    } else if (frame->media_ns >= cut_.to_ns) {
      over_ = true;
    } else if (in_order() && frame->media_ns <= last_ns_) {
      continue;  // once more, in another file
    } else if (begins_before_cut() || frame->media_ns >= cut_.from_ns) {
      last_ns_ = frame->media_ns;
      return frame;
    }
  }
  return std::nullopt;
}

std::unique_ptr<Lane> make_lane(LaneKind kind, std::string stream, const Cut& cut) {
  switch (kind) {
    case LaneKind::pictures: return std::make_unique<PictureLane>(std::move(stream), cut);
    case LaneKind::sound: return std::make_unique<SoundLane>(std::move(stream), cut);
    case LaneKind::encoded: break;
  }
  return std::make_unique<EncodedLane>(std::move(stream), cut);
}

}  // namespace record
