#include "play/sound_lane.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include <reel/gst/caps.hpp>
#include <reel/gst/frame_info.hpp>
#include <reel/gst/read_map.hpp>

namespace record {

// Without those that another file has told of.
void SoundLane::add_facts(std::vector<FrameFacts> facts) {
  std::erase_if(facts, [this](const FrameFacts& one) { return one.media_ns <= last_facts_ns_; });
  if (!facts.empty()) last_facts_ns_ = facts.back().media_ns;
  Lane::add_facts(std::move(facts));
}

std::optional<PlayFrame> SoundLane::make() {
  PlayFrame frame;
  while (true) {
    if (cutter_ && cut_block(frame)) return frame;
    if (all_decoded_) return std::nullopt;
    switch (decode(frame)) {
      case Step::frame: return frame;
      case Step::more: break;
      case Step::nothing:
        if (!all_decoded_) return std::nullopt;
    }
  }
}

std::uint64_t SoundLane::samples_of(const FrameFacts& block) const {
  const double rate = cutter_->format().rate_hz;
  return block.info.duration_ns == reel::kNoTime
             ? 0
             : static_cast<std::uint64_t>(
                   std::llround(static_cast<double>(block.info.duration_ns) * rate / 1e9));
}

bool SoundLane::cut_block(PlayFrame& frame) {
  while (!facts().empty()) {
    std::vector<std::byte> block;
    const FrameFacts& known = facts().front();
    switch (cutter_->take(known.media_ns, samples_of(known), all_decoded_, block)) {
      case SoundCutter::Taken::more: return false;
      case SoundCutter::Taken::lost: facts().lose(); continue;
      case SoundCutter::Taken::block: break;
    }
    FrameFacts facts_of_it = facts().pop();
    frame.media_ns = facts_of_it.media_ns;
    frame.info = facts_of_it.info;
    frame.info.flags |= reel::kKeyFrame;
    frame.side_data = std::move(facts_of_it.side_data);
    frame.format = format_;
    frame.buffer = {gst_buffer_new_memdup(block.data(), block.size()), reel::gst::Unref()};
    return true;
  }
  return false;
}

// `frame` where nothing is known of blocks: then those of the codec are as good.
SoundLane::Step SoundLane::decode(PlayFrame& frame) {
  const Decoding::Decoded decoded = decoding_.next(units(), finished());
  if (!decoded.sample) {
    all_decoded_ = finished();
    return Step::nothing;
  }
  with_facts_ = with_facts_ || !facts().empty();
  set_caps(gst_sample_get_caps(decoded.sample.get()), decoded.published_as);
  GstBuffer* const buffer = gst_sample_get_buffer(decoded.sample.get());
  const std::int64_t time_ns = Decoder::time_of(decoded.sample.get());
  if (with_facts_) {
    const reel::gst::ReadMap map(buffer);
    cutter_->push(time_ns, map.bytes());
    return Step::more;
  }
  frame.media_ns = time_ns;
  frame.info = reel::gst::frame_info(buffer);
  frame.info.pts_ns = time_ns;
  frame.format = format_;
  frame.buffer = {gst_buffer_ref(buffer), reel::gst::Unref()};
  return Step::frame;
}

void SoundLane::set_caps(GstCaps* caps, const std::shared_ptr<const reel::Format>& published_as) {
  const reel::Format format = reel::gst::format_from_caps(caps);
  if (cutter_ && cutter_->format() == *format.audio()) return;
  cutter_.emplace(*format.audio());
  const bool same =
      published_as && published_as->audio() != nullptr && *published_as->audio() == *format.audio();
  format_ = same ? published_as : std::make_shared<const reel::Format>(format);
}

}  // namespace record
