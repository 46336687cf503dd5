// What becomes of a frame that was taken: dropped, or an event, or caps, segment, tags and a buffer.
#include <algorithm>
#include <utility>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/gst/caps.hpp>
#include <reel/gst/frame_info.hpp>

#include "event_text.hpp"
#include "source.hpp"
#include "tag_text.hpp"

GST_DEBUG_CATEGORY_EXTERN(reel_src_debug);
#define GST_CAT_DEFAULT reel_src_debug

namespace reel::gst {
namespace {

constexpr std::int64_t kLossNoticeNs = 100'000'000;

std::int64_t duration_of(const Format& format) {
  const VideoFormat* video = format.video();
  const EncodedFormat* encoded = format.encoded();
  const Fraction fps = video != nullptr ? video->fps : encoded != nullptr ? encoded->fps : Fraction{};
  if (fps.numerator <= 0 || fps.denominator <= 0) return 0;
  return static_cast<std::int64_t>(gst_util_uint64_scale(GST_SECOND, fps.denominator, fps.numerator));
}

std::uint64_t passed_over(const ReaderStats& stats) {
  return stats.skipped + stats.lapped + stats.corrupted;
}

GstClockTime clock_time(std::int64_t time_ns) {
  return time_ns == kNoTime ? GST_CLOCK_TIME_NONE : static_cast<GstClockTime>(time_ns);
}

}  // namespace

GstFlowReturn Source::hand_on(Frame& frame, GstBuffer** buffer, bool& again) {
  const FrameKind kind = frame.info().kind;
  sequence_.store(frame.sequence(), std::memory_order_relaxed);
  lost_ += frame.missed_before();
  again = true;
  if (kind == FrameKind::media && !decodable(frame)) {
    count([](Counts& counts) { ++counts.undecodable; });
    lost_ += delivered_ ? 1 : 0;  // before the first one nothing is missed
    return GST_FLOW_OK;
  }
  FrameInfo info = frame.info();
  const bool wanted = place(frame, info);
  if (!wanted && kind == FrameKind::media) {
    count([](Counts& counts) { ++counts.late; });
    lost_ += delivered_ ? 1 : 0;
    if (depends_on_others(frame.format())) gate_.close();
    return GST_FLOW_OK;
  }
  if (const GstFlowReturn flow = follow_format(frame); flow != GST_FLOW_OK) return flow;
  follow_tags(frame);
  if (lost_ != 0) tell_of_loss(info);
  switch (kind) {
    case FrameKind::gap:
      if (wanted) push_gap(info);
      return GST_FLOW_OK;
    case FrameKind::event: push_event(frame); return GST_FLOW_OK;
    case FrameKind::media: break;
  }
  again = false;
  take_on(std::move(frame), info, buffer);
  return GST_FLOW_OK;
}

bool Source::decodable(const Frame& frame) {
  missed_ = passed_over(inlet_.last_stats());
  if (!depends_on_others(frame.format())) return true;
  if (frame.missed_before() != 0) gate_.close();
  const bool pass = gate_.lets_pass(frame.info().flags);
  ask_where_closed();
  return pass;
}

// The reader itself gives nothing of an encoded stream between a gap and the next key frame.
void Source::ask_after_gap() {
  if (passed_over(inlet_.last_stats()) == missed_ || (format_ && !depends_on_others(*format_))) return;
  gate_.close();
  ask_where_closed();
}

void Source::ask_where_closed() {
  if (!gate_.should_ask(monotonic_ns())) return;
  GST_INFO_OBJECT(element_, "asking the writer of stream \"%s\" for a key frame", settings_.stream.c_str());
  inlet_.ask_for_key_frame();
}

bool Source::place(const Frame& frame, FrameInfo& info) {
  if (info.kind == FrameKind::event) return true;
  if (!live_)
    place_as_sent(frame, info);
  else if (!place_live(frame, info))
    return false;
  if (stamped_anew_.load(std::memory_order_relaxed)) info.pts_ns = info.dts_ns = kNoTime;
  return true;
}

bool Source::place_live(const Frame& frame, FrameInfo& info) {
  if (time_line_changed_.exchange(false)) clock_.forget();
  if (flushed_.exchange(false)) placement_.flush();
  if (const std::int64_t since_ns = play_on_ns_.exchange(kNoTime); since_ns != kNoTime)
    placement_.play_on(since_ns);
  const std::int64_t offset_ns = clock_.offset_ns(GST_ELEMENT(element_), monotonic_ns());
  if (offset_ns == kNoTime) return true;  // without a clock there is nothing to map to
  const bool dependent = depends_on_others(frame.format());
  LivePlacement::Placed placed = placement_.place(info, frame.segment(), {frame.publish_ns(), offset_ns},
                                                  dependent ? Dependence::on_others : Dependence::none);
  if (placed.new_segment) {
    GstSegment ours;
    gst_segment_init(&ours, GST_FORMAT_TIME);
    ours.start = ours.position = clock_time(placement_.segment_start_ns());
    gst_base_src_new_segment(GST_BASE_SRC(element_), &ours);
    segment_due_ = true;
  }
  if (info.kind == FrameKind::media) measure(info, placed);
  if (placed.verdict == LivePlacement::Verdict::past) return false;
  if (placed.verdict == LivePlacement::Verdict::stale) {
    // The newest picture from before the beginning is what whoever asked for more than `live` starts with.
    const bool wanted = !delivered_ && settings_.start != Start::live && info.kind == FrameKind::media;
    if (!wanted || inlet_.ready()) return false;
    placed.info = placement_.at_zero(info);
  }
  info = placed.info;
  return true;
}

// The sender's time line as it is; a later writer's goes on where the one before it ended.
void Source::place_as_sent(const Frame& frame, const FrameInfo& info) {
  Segment segment = frame.segment() != nullptr ? *frame.segment() : Segment{};
  segment.monotonic_offset_ns = kNoTime;
  const RunningTime first = earlier(running_time(segment, info.pts_ns), running_time(segment, info.dts_ns));
  if (std::exchange(joined_, false) && delivered_ && first.known)
    base_shift_ns_ = std::max<std::int64_t>(last_running_ns_ - first.ns, 0);
  segment.base_ns += base_shift_ns_;
  if (segment_ != segment) {
    const GstSegment theirs = segment_to(segment);
    gst_base_src_new_segment(GST_BASE_SRC(element_), &theirs);
    segment_ = segment;
    segment_due_ = true;
  }
  if (info.pts_ns == kNoTime) return;
  const RunningTime end = running_time(segment, info.pts_ns + std::max<std::int64_t>(info.duration_ns, 0));
  if (end.known) last_running_ns_ = std::max(last_running_ns_, end.ns);
}

void Source::measure(const FrameInfo& info, const LivePlacement::Placed& placed) {
  bool changed = placed.late_known && meter_.observe(placed.late_ns);
  if (meter_.frame_duration_ns() == 0 && info.duration_ns > 0)
    changed = meter_.set_frame_duration(info.duration_ns) || changed;
  if (!changed) return;
  GST_INFO_OBJECT(element_, "latency is now %" GST_TIME_FORMAT, GST_TIME_ARGS(latency().least));
  gst_element_post_message(GST_ELEMENT(element_), gst_message_new_latency(GST_OBJECT(element_)));
}

// At most ten times a second, with what has come together.
void Source::tell_of_loss(const FrameInfo& info) {
  const std::int64_t now_ns = monotonic_ns();
  if (told_of_loss_ns_ != 0 && now_ns - told_of_loss_ns_ < kLossNoticeNs) return;
  told_of_loss_ns_ = now_ns;
  const ReaderStats& stats = inlet_.last_stats();
  // Whoever asks for the newest alone wants the others left out.
  const GstDebugLevel level = settings_.policy == Policy::latest ? GST_LEVEL_INFO : GST_LEVEL_WARNING;
  GST_CAT_LEVEL_LOG(GST_CAT_DEFAULT, level, element_,
                    "%" G_GUINT64_FORMAT " frames of stream \"%s\" were left out",
                    static_cast<guint64>(std::exchange(lost_, 0)), settings_.stream.c_str());
  const GstClockTime pts = clock_time(info.pts_ns);
  GST_OBJECT_LOCK(element_);
  const GstSegment segment = GST_BASE_SRC(element_)->segment;
  GST_OBJECT_UNLOCK(element_);
  GstMessage* message = gst_message_new_qos(GST_OBJECT(element_), static_cast<gboolean>(live_),
                                            gst_segment_to_running_time(&segment, GST_FORMAT_TIME, pts),
                                            gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, pts), pts,
                                            clock_time(info.duration_ns));
  const std::uint64_t dropped = passed_over(stats) + counts_.late + counts_.undecodable;
  gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, stats.delivered, dropped);
  gst_element_post_message(GST_ELEMENT(element_), message);
}

void Source::take_on(Frame&& frame, const FrameInfo& info, GstBuffer** buffer) {
  MadeBuffer made =
      buffer_from(std::move(frame), info, slots_, {settings_.max_pins - 1, any_layout_.load(), &picture_});
  if (made.how != Carried::wrapped)
    count([&](Counts& counts) { ++(made.how == Carried::copied ? counts.copied : counts.repacked); });
  if (std::exchange(discont_, false)) GST_BUFFER_FLAG_SET(made.buffer.get(), GST_BUFFER_FLAG_DISCONT);
  delivered_ = true;
  segment_due_ = false;
  *buffer = made.buffer.release();
}

// Caps that changed, in front of the frame that is of them.
GstFlowReturn Source::follow_format(const Frame& frame) {
  const Format& format = frame.format();
  if (frame.info().kind != FrameKind::media && (format_ || format == Format())) return GST_FLOW_OK;
  if (format_ && *format_ == format) return GST_FLOW_OK;
  const std::string stream = "stream \"" + settings_.stream + "\"";
  Ptr<GstCaps> caps;
  try {
    caps = caps_from_format(format);
    if (format.video() != nullptr && gst_video_info_from_caps(&picture_, caps.get()) == FALSE)
      throw Error(ErrorCode::protocol, "GStreamer takes these for no picture: " + format.caps());
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(element_, STREAM, FORMAT, ("The caps of %s cannot be used.", stream.c_str()),
                      ("%s", error.what()));
    return GST_FLOW_ERROR;
  }
  GST_INFO_OBJECT(element_, "%s is of %" GST_PTR_FORMAT, stream.c_str(), static_cast<void*>(caps.get()));
  // Asked first, since an event of caps that are refused fails with the next buffer alone. The last asks what
  // downstream can take of these caps: whether it reads GstVideoMeta.
  if (gst_pad_peer_query_accept_caps(GST_BASE_SRC_PAD(element_), caps.get()) == FALSE ||
      gst_base_src_set_caps(GST_BASE_SRC(element_), caps.get()) == FALSE ||
      gst_base_src_negotiate(GST_BASE_SRC(element_)) == FALSE) {
    if (GST_PAD_IS_FLUSHING(GST_BASE_SRC_PAD(element_))) return GST_FLOW_FLUSHING;
    const Text text(gst_caps_to_string(caps.get()));
    GST_ELEMENT_ERROR(element_, STREAM, FORMAT,
                      ("The element after it does not take what %s is of.", stream.c_str()),
                      ("%s: put a converter between (videoconvert, audioconvert, decodebin)", text.get()));
    return GST_FLOW_ERROR;
  }
  format_ = format;
  if (meter_.set_frame_duration(duration_of(format)))
    gst_element_post_message(GST_ELEMENT(element_), gst_message_new_latency(GST_OBJECT(element_)));
  return GST_FLOW_OK;
}

void Source::follow_tags(const Frame& frame) {
  if (frame.tags() == nullptr || *frame.tags() == tags_) return;
  tags_ = *frame.tags();
  for (GstEvent* event : tag_events(tags_)) push_in_order(event);
}

void Source::push_gap(const FrameInfo& info) {
  if (info.pts_ns == kNoTime) return;
  push_in_order(gst_event_new_gap(clock_time(info.pts_ns), clock_time(info.duration_ns)));
}

void Source::push_event(const Frame& frame) {
  if (GstEvent* event = event_from(frame.data())) push_in_order(event);  // else one of Reel's own
}

// Among the buffers, in its place: the base class's own queue of events waits for the next buffer, and is
// forgotten at the end of the stream. What it would push before that buffer has to come first: the segment.
void Source::push_in_order(GstEvent* event) {
  GstPad* pad = GST_BASE_SRC_PAD(element_);
  if (!format_) {
    GST_WARNING_OBJECT(element_, "an event before any caps is left out: %" GST_PTR_FORMAT,
                       static_cast<void*>(event));
    gst_event_unref(event);
    return;
  }
  if (segment_due_.exchange(false)) {
    GST_OBJECT_LOCK(element_);
    GstEvent* segment = gst_event_new_segment(&GST_BASE_SRC(element_)->segment);
    GST_OBJECT_UNLOCK(element_);
    gst_pad_push_event(pad, segment);
  }
  gst_pad_push_event(pad, event);
}

}  // namespace reel::gst
