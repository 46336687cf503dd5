#include "publisher.hpp"

#include <algorithm>
#include <span>
#include <string>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/gst/caps.hpp>
#include <reel/gst/frame_info.hpp>
#include <reel/gst/read_map.hpp>
#include <reel/gst/video_buffer.hpp>

namespace capture {

namespace {

using reel::Error;
using reel::ErrorCode;

// Pictures that lie between a decoder and us, or that it keeps to refer to: as many as of most H.264. Where
// it keeps more, the ring grows.
constexpr std::uint32_t kDecoderBuffers = 12;
constexpr std::uint32_t kLoans = 1;  // as outputs are opened; more are reserved for the decoder

std::int64_t frame_duration_ns(const reel::VideoFormat* video) {
  if (video == nullptr || video->fps.numerator == 0) return 0;
  return static_cast<std::int64_t>(
      gst_util_uint64_scale(GST_SECOND, video->fps.denominator, video->fps.numerator));
}

}  // namespace

// Through the output, which waits for declared readers and counts what went out.
Publisher::Publisher(reel::Output& output, Media media, bool in_place)
    : output_(output),
      media_(media),
      in_place_(in_place),
      slots_(std::make_shared<reel::gst::StreamSlots>(
          std::shared_ptr<reel::FrameWriter>(std::shared_ptr<void>(), &output.writer()), kLoans,
          [&output](reel::FrameWriter&, reel::Loan& loan, const reel::FrameInfo& info, bool keep,
                    const reel::SharedWait&) {
            if (keep)
              output.publish_and_keep(loan, info);
            else
              output.publish(std::move(loan), info);
            return reel::WriteStatus::ok;
          })) {
  if (in_place_) slots_->reserve(0, kDecoderBuffers);
}

void Publisher::set_format(GstSample* sample) {
  GstCaps* caps = gst_sample_get_caps(sample);
  if (caps_ && (caps == caps_.get() || gst_caps_is_equal(caps, caps_.get()) != FALSE)) return;
  format_ = reel::gst::format_from_caps(caps);
  const bool known = is_encoded(media_) || format_.video() != nullptr || format_.audio() != nullptr;
  if (!known || (format_.video() != nullptr && gst_video_info_from_caps(&video_info_, caps) == FALSE))
    throw Error(ErrorCode::unsupported,
                "the decoder gives \"" + format_.caps() + "\", which is no raw video or audio");
  // Decoders pad their pictures: told first, so that no memory is made for the bare ones.
  if (format_.video() != nullptr)
    slots_->reserve(reel::gst::VideoBuffer(gst_sample_get_buffer(sample), video_info_, format_).bytes(), 0);
  // Access units vary: the first, a key frame, tells as much as there is to know.
  if (is_encoded(media_)) slots_->reserve(2 * gst_buffer_get_size(gst_sample_get_buffer(sample)), 0);
  slots_->with_writer([this](reel::FrameWriter&) { output_.set_format(format_); });
  caps_.reset(gst_caps_ref(caps));
}

void Publisher::begin(const Timeline& timeline) noexcept {
  timeline_ = timeline;
  first_of_life_ = true;
  waits_for_key_ = media_ == Media::video_encoded;
  pass_end_ns_ = 0;
}

void Publisher::publish(GstSample* sample) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  const GstSegment& segment = *gst_sample_get_segment(sample);
  set_format(sample);
  if (!segment_set_) set_segment(segment);
  const reel::FrameInfo info = stamp(buffer, segment);
  if (is_encoded(media_) && !can_be_decoded(info)) return;
  if (format_.video() != nullptr)
    publish_video(buffer, info);
  else
    publish_bytes(buffer, info);
  first_of_life_ = false;
  published_.fetch_add(1, std::memory_order_relaxed);
}

// Joined in the middle, or with frames missing before it: readers begin, or go on, with a key frame.
bool Publisher::can_be_decoded(const reel::FrameInfo& info) noexcept {
  if (!first_of_life_ && (info.flags & reel::kDiscont) != 0 && media_ == Media::video_encoded)
    waits_for_key_ = true;
  if ((info.flags & reel::kKeyFrame) != 0) waits_for_key_ = false;
  return !waits_for_key_ || (info.flags & reel::kHeader) != 0;
}

// One record serves all lives: their times continue the first one's time line.
void Publisher::set_segment(const GstSegment& segment) {
  reel::Segment ours;
  ours.monotonic_offset_ns = timeline_.monotonic_offset_ns;
  if (!timeline_.camera) ours = reel::gst::segment_from(segment, timeline_.monotonic_offset_ns);
  if (timeline_.loop) ours.stop_ns = reel::kNoTime;
  output_.writer().set_segment(ours);
  segment_set_ = true;
}

reel::FrameInfo Publisher::stamp(GstBuffer* buffer, const GstSegment& segment) {
  reel::FrameInfo info = reel::gst::frame_info(buffer);
  if (first_of_life_ && timeline_.continues) info.flags |= reel::kDiscont;
  if (timeline_.camera) {
    stamp_camera(info, segment);
    return info;
  }
  const std::int64_t duration =
      info.duration_ns != reel::kNoTime ? info.duration_ns : frame_duration_ns(format_.video());
  const std::int64_t running = reel::gst::capture_time(segment, info.pts_ns, 0);
  if (running != reel::kNoTime) pass_end_ns_ = std::max(pass_end_ns_, running + duration);

  const bool paced = timeline_.monotonic_offset_ns != reel::kNoTime && running != reel::kNoTime;
  info.capture_ns =
      paced ? running + timeline_.shift_ns + timeline_.monotonic_offset_ns : reel::monotonic_ns();
  if (info.pts_ns != reel::kNoTime) info.pts_ns += timeline_.shift_ns;
  if (info.dts_ns != reel::kNoTime) info.dts_ns += timeline_.shift_ns;
  return info;
}

// A frame without a time is of now.
void Publisher::stamp_camera(reel::FrameInfo& info, const GstSegment& segment) const {
  const std::int64_t running = reel::gst::capture_time(segment, info.pts_ns, 0);
  const std::int64_t decoding = reel::gst::capture_time(segment, info.dts_ns, 0);
  info.pts_ns = running != reel::kNoTime
                    ? running
                    : std::max<std::int64_t>(0, reel::monotonic_ns() - timeline_.monotonic_offset_ns);
  info.dts_ns = is_encoded(media_) ? decoding : reel::kNoTime;
  info.capture_ns = std::min(info.pts_ns + timeline_.monotonic_offset_ns, reel::monotonic_ns());
}

void Publisher::publish_video(GstBuffer* buffer, const reel::FrameInfo& info) {
  if (const auto placed = reel::gst::placed_picture(*slots_, buffer, video_info_, *format_.video()))
    return require(slots_->publish(placed->part, &placed->layout, info,
                                   [](const reel::Format&, reel::SideDataWriter&) {}));
  const reel::gst::VideoBuffer picture(buffer, video_info_, format_);
  reel::Loan loan;
  require(slots_->acquire(loan, picture.bytes()));
  if (!picture.copy_to(loan))
    throw Error(ErrorCode::internal, "a slot of " + std::to_string(loan.capacity()) +
                                         " bytes was lent for a picture of " +
                                         std::to_string(picture.bytes()));
  require(slots_->publish(std::move(loan), info));
}

void Publisher::require(reel::WriteStatus status) const {
  if (status == reel::WriteStatus::ok) return;
  if (status == reel::WriteStatus::interrupted) throw reel::StopRequested{};
  throw Error(status == reel::WriteStatus::bad_argument ? ErrorCode::bad_argument : ErrorCode::no_memory,
              slots_->error(), output_.stream());
}

void Publisher::publish_bytes(GstBuffer* buffer, const reel::FrameInfo& info) {
  const reel::gst::ReadMap map(buffer);
  output_.write(map.bytes(), info);
}

}  // namespace capture
