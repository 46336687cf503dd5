#include "play/picture_lane.hpp"

#include <algorithm>
#include <utility>

#include <reel/gst/caps.hpp>
#include <reel/gst/frame_info.hpp>

namespace record {

// The file has them in the order of decoding.
void PictureLane::add_facts(std::vector<FrameFacts> facts) {
  std::stable_sort(facts.begin(), facts.end(),
                   [](const FrameFacts& a, const FrameFacts& b) { return a.media_ns < b.media_ns; });
  Lane::add_facts(std::move(facts));
}

std::optional<PlayFrame> PictureLane::make() {
  const Decoding::Decoded decoded = decoding_.next(units(), finished());
  if (!decoded.sample) {
    if (finished()) facts().end();
    return std::nullopt;
  }
  GstBuffer* const buffer = gst_sample_get_buffer(decoded.sample.get());
  set_caps(gst_sample_get_caps(decoded.sample.get()), decoded.published_as);
  PlayFrame frame;
  frame.media_ns = Decoder::time_of(decoded.sample.get());
  if (std::optional<FrameFacts> known = facts().take(frame.media_ns)) {
    frame.media_ns = known->media_ns;
    frame.info = known->info;
    frame.side_data = std::move(known->side_data);
  } else {
    frame.info = reel::gst::frame_info(buffer);
    frame.info.pts_ns = frame.media_ns;
  }
  frame.info.flags |= reel::kKeyFrame;  // as every raw frame is
  frame.format = format_;
  frame.buffer = {gst_buffer_ref(buffer), reel::gst::Unref()};
  frame.caps = caps_;
  return frame;
}

// The stream's own format, to the letter of its caps, where the pictures are of its size and kind.
void PictureLane::set_caps(GstCaps* caps, const std::shared_ptr<const reel::Format>& published_as) {
  if (caps_ && gst_caps_is_equal(caps_.get(), caps) != FALSE) return;
  caps_ = {gst_caps_ref(caps), reel::gst::Unref()};
  format_ = std::make_shared<const reel::Format>(reel::gst::format_from_caps(caps));
  const reel::VideoFormat* const was = published_as ? published_as->video() : nullptr;
  const reel::VideoFormat& is = *format_->video();
  if (was != nullptr && was->pixel == is.pixel && was->width == is.width && was->height == is.height)
    format_ = published_as;
}

}  // namespace record
