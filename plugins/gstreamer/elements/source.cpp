#include "source.hpp"

#include <utility>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/gst/caps.hpp>
#include <reel/gst/clock.hpp>
#include <reel/gst/frame_info.hpp>

#include "event_text.hpp"
#include "tag_text.hpp"

namespace reel::gst {
namespace {

// How often a missing writer is looked at while a timeout or on-disconnect has to be kept.
constexpr int kLookMs = 50;

bool is_live(GstPushSrc* element) {
  return gst_base_src_is_live(GST_BASE_SRC(element)) != FALSE;
}

ReaderStats sum(const ReaderStats& a, const ReaderStats& b) {
  return {a.delivered + b.delivered, a.verified + b.verified, a.corrupted + b.corrupted,
          a.skipped + b.skipped,     a.lapped + b.lapped,     a.connects + b.connects};
}

std::uint64_t duration_of(const Format& format) {
  const VideoFormat* video = format.video();
  const EncodedFormat* encoded = format.encoded();
  const Fraction fps = video != nullptr ? video->fps : encoded != nullptr ? encoded->fps : Fraction{};
  if (fps.numerator <= 0 || fps.denominator <= 0) return 0;
  return gst_util_uint64_scale(GST_SECOND, static_cast<guint64>(fps.denominator),
                               static_cast<guint64>(fps.numerator));
}

}  // namespace

GstFlowReturn Source::fail(const std::string& what, const std::string& detail) {
  GST_ELEMENT_ERROR(element_, RESOURCE, READ, ("%s", what.c_str()), ("%s", detail.c_str()));
  return GST_FLOW_ERROR;
}

bool Source::open(const SrcSettings& settings) {
  settings_ = settings;
  try {
    auto reader = std::make_unique<FrameReader>(settings_.stream, settings_.reader_options());
    if (!settings_.reconnect && !reader->connected())
      throw Error(ErrorCode::not_found, "no process writes it, and reconnect is false", settings_.stream);
    const std::lock_guard lock(mutex_);
    reader_ = std::move(reader);
    if (unlocked_) reader_->interrupt();
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_READ, ("Cannot read stream \"%s\".", settings_.stream.c_str()),
                      ("%s", error.what()));
    return false;
  }
  times_.forget();
  format_.reset();
  segment_.reset();
  tags_.clear();
  connects_ = 0;
  away_since_ns_ = monotonic_ns();
  discont_ = true;
  buffers_pushed_ = false;
  const std::lock_guard lock(mutex_);
  counts_ = {};
  before_ = {};
  return true;
}

void Source::close() {
  std::unique_ptr<FrameReader> reader;
  {
    const std::lock_guard lock(mutex_);
    reader = std::move(reader_);
    retarget_.reset();
  }
}

void Source::retarget(std::string stream) {
  const std::lock_guard lock(mutex_);
  if (!reader_) return;
  retarget_ = std::move(stream);
  reader_->interrupt();
}

void Source::unlock() {
  const std::lock_guard lock(mutex_);
  unlocked_ = true;
  if (reader_) reader_->interrupt();
}

void Source::resume() {
  const std::lock_guard lock(mutex_);
  unlocked_ = false;
  if (reader_ && !retarget_ && !key_frame_wanted_) reader_->resume();
}

// False when the new stream cannot be opened: said on the bus.
bool Source::switch_stream() {
  std::string stream;
  {
    const std::lock_guard lock(mutex_);
    if (!retarget_) return true;
    stream = std::move(*retarget_);
    retarget_.reset();
  }
  settings_.stream = stream;
  const ReaderStats all = sum(before_, reader_->stats());
  const auto format = format_;
  const bool pushed = buffers_pushed_;
  if (!open(settings_)) return false;
  {
    const std::lock_guard lock(mutex_);
    before_ = all;
  }
  format_ = format;
  buffers_pushed_ = pushed;
  return true;
}

GstFlowReturn Source::create(GstBuffer** buffer) {
  for (;;) {
    if (!switch_stream()) return GST_FLOW_ERROR;
    Frame frame;
    bool again = false;
    const GstFlowReturn flow = take(frame, again);
    if (again) continue;
    if (flow != GST_FLOW_OK) return flow;
    if (!follow_records(frame)) return GST_FLOW_NOT_NEGOTIATED;
    const FrameInfo info = info_of(frame);
    if (info.kind == FrameKind::gap) {
      push_gap(info);
      continue;
    }
    if (info.kind == FrameKind::event) {
      push_event(frame);
      continue;
    }
    if ((info.flags & kCorrupted) != 0 && settings_.on_corrupted == OnCorrupted::error)
      return fail("A frame of stream \"" + settings_.stream + "\" is corrupted.",
                  "frame " + std::to_string(frame.sequence()) + " does not match its checksum");
    Ptr<GstBuffer> made = buffer_from(std::move(frame), info, slots_, settings_.max_pins - 1);
    if (std::exchange(discont_, false)) GST_BUFFER_FLAG_SET(made.get(), GST_BUFFER_FLAG_DISCONT);
    buffers_pushed_ = true;
    *buffer = made.release();
    return GST_FLOW_OK;
  }
}

ReadStatus Source::read(Frame& frame) {
  const bool watching =
      settings_.on_disconnect != OnDisconnect::none || settings_.timeout_ns != 0 || !settings_.reconnect;
  const ReadStatus status = reader_->read(frame, watching ? kLookMs : kForever);
  const std::lock_guard lock(mutex_);
  counts_ = reader_->stats();
  return status;
}

// By unlock(), or because there is something else to do first.
GstFlowReturn Source::interrupted(bool& again) {
  const std::lock_guard lock(mutex_);
  if (unlocked_) return GST_FLOW_FLUSHING;
  again = true;
  reader_->resume();
  if (std::exchange(key_frame_wanted_, false)) (void)reader_->request_key_frame();
  return GST_FLOW_OK;
}

// One wait. `again` when there is nothing to hand on yet.
GstFlowReturn Source::take(Frame& frame, bool& again) {
  const ReadStatus status = read(frame);
  switch (status) {
    case ReadStatus::frame:
      if (std::exchange(connects_, counts_.connects) != counts_.connects) {
        discont_ = true;
        times_.forget();
        segment_.reset();
      }
      away_since_ns_ = monotonic_ns();
      return GST_FLOW_OK;
    case ReadStatus::empty: return writer_is_away(again);
    case ReadStatus::ended:
    case ReadStatus::closed: return GST_FLOW_EOS;
    case ReadStatus::interrupted: return interrupted(again);
    case ReadStatus::too_many_held:
    case ReadStatus::failed: break;
  }
  return fail("Cannot read stream \"" + settings_.stream + "\" any more.",
              status == ReadStatus::too_many_held ? "every slot of the quota is held" : reader_->error());
}

GstFlowReturn Source::writer_is_away(bool& again) {
  again = true;
  if (reader_->connected()) {
    away_since_ns_ = monotonic_ns();
    return GST_FLOW_OK;
  }
  const bool lost = counts_.connects != 0;
  const bool late = settings_.timeout_ns != 0 &&
                    monotonic_ns() - away_since_ns_ >= static_cast<std::int64_t>(settings_.timeout_ns);
  const bool over = lost && (settings_.on_disconnect != OnDisconnect::none || !settings_.reconnect);
  if (!late && !over) return GST_FLOW_OK;
  again = false;
  if (settings_.on_disconnect == OnDisconnect::eos || (over && settings_.on_disconnect == OnDisconnect::none))
    return GST_FLOW_EOS;
  return fail("Stream \"" + settings_.stream + "\" has no writer.",
              lost ? "it went away without ending the stream" : "none came within the timeout");
}

FrameInfo Source::info_of(const Frame& frame) {
  if (!is_live(element_)) return frame.info();
  const std::int64_t offset = monotonic_offset(GST_ELEMENT(element_));
  return offset == kNoTime ? frame.info() : times_.map(frame, offset);
}

// Caps, segment and tags that changed, in front of the frame that names them. False: caps were refused.
bool Source::follow_records(const Frame& frame) {
  if (frame.info().kind == FrameKind::media && !follow_format(frame.format())) return false;
  if (!is_live(element_)) {
    const Segment segment = frame.segment() != nullptr ? *frame.segment() : Segment{};
    if (segment_ != segment) {
      const GstSegment theirs = segment_to(segment);
      gst_base_src_new_segment(GST_BASE_SRC(element_), &theirs);
      segment_ = segment;
    }
  }
  if (frame.tags() != nullptr && *frame.tags() != tags_) {
    tags_ = *frame.tags();
    for (GstEvent* event : tag_events(tags_)) push_serialized(event);
  }
  return true;
}

bool Source::follow_format(const Format& format) {
  if (format_ && *format_ == format) return true;
  try {
    const Ptr<GstCaps> caps = caps_from_format(format);
    if (gst_base_src_set_caps(GST_BASE_SRC(element_), caps.get()) == FALSE) return false;
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(element_, STREAM, FORMAT,
                      ("Stream \"%s\" has caps that cannot be used.", settings_.stream.c_str()),
                      ("%s", error.what()));
    return false;
  }
  format_ = format;
  const std::uint64_t duration = duration_of(format);
  if (duration != std::exchange(frame_duration_ns_, duration))
    gst_element_post_message(GST_ELEMENT(element_), gst_message_new_latency(GST_OBJECT(element_)));
  return true;
}

// Behind a segment only: before the first buffer there is no time line in which something could be missing.
void Source::push_gap(const FrameInfo& info) {
  if (!buffers_pushed_ || info.pts_ns == kNoTime) return;
  gst_pad_push_event(
      GST_BASE_SRC_PAD(element_),
      gst_event_new_gap(
          static_cast<GstClockTime>(info.pts_ns),
          info.duration_ns == kNoTime ? GST_CLOCK_TIME_NONE : static_cast<GstClockTime>(info.duration_ns)));
}

void Source::push_event(const Frame& frame) {
  if (GstEvent* event = event_from(frame.data())) push_serialized(event);  // not one of Reel's own
}

// At its place among buffers, and before an end. Behind the segment that the first buffer brings.
void Source::push_serialized(GstEvent* event) {
  if (buffers_pushed_)
    gst_pad_push_event(GST_BASE_SRC_PAD(element_), event);
  else
    gst_element_send_event(GST_ELEMENT(element_), event);
}

void Source::ask_for_key_frame() {
  const std::lock_guard lock(mutex_);
  key_frame_wanted_ = true;
  if (reader_) reader_->interrupt();
}

GstStructure* Source::stats() const {
  const std::lock_guard lock(mutex_);
  const ReaderStats now = sum(before_, counts_);
  const auto number = [](std::uint64_t value) { return static_cast<guint64>(value); };
  return gst_structure_new("application/x-reel-reader-stats", "delivered", G_TYPE_UINT64,
                           number(now.delivered), "verified", G_TYPE_UINT64, number(now.verified),
                           "corrupted", G_TYPE_UINT64, number(now.corrupted), "skipped", G_TYPE_UINT64,
                           number(now.skipped), "lapped", G_TYPE_UINT64, number(now.lapped), "connects",
                           G_TYPE_UINT64, number(now.connects), "copied", G_TYPE_UINT64,
                           number(slots_->copied.load(std::memory_order_relaxed)), "held", G_TYPE_UINT,
                           slots_->held.load(std::memory_order_relaxed), nullptr);
}

}  // namespace reel::gst
