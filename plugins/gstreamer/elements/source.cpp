#include "source.hpp"

#include <utility>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/channel/absence.hpp>
#include <reel/channel/runtime_dir.hpp>

#include "property_names.hpp"

GST_DEBUG_CATEGORY_EXTERN(reel_src_debug);
#define GST_CAT_DEFAULT reel_src_debug

namespace reel::gst {
namespace {

constexpr std::int64_t kAbsenceNoticeNs = 10'000'000'000;

ReaderStats sum(const ReaderStats& a, const ReaderStats& b) {
  return {a.delivered + b.delivered, a.verified + b.verified, a.corrupted + b.corrupted,
          a.skipped + b.skipped,     a.lapped + b.lapped,     a.connects + b.connects};
}

const char* word_for(Parting why) {
  switch (why) {
    case Parting::ended: return "ended";
    case Parting::lost: return "lost";
    case Parting::switched: return "switched";
    case Parting::stopped: return "stopped";
  }
  return "lost";
}

}  // namespace

GstFlowReturn Source::fail(const std::string& what, const std::string& detail) {
  GST_ELEMENT_ERROR(element_, RESOURCE, READ, ("%s", what.c_str()), ("%s", detail.c_str()));
  return GST_FLOW_ERROR;
}

bool Source::open(const SrcSettings& settings) {
  settings_ = settings;
  live_ = gst_base_src_is_live(GST_BASE_SRC(element_)) != FALSE;
  {
    const std::lock_guard lock(mutex_);
    counts_ = {};
    before_ = {};
  }
  sequence_.store(0, std::memory_order_relaxed);
  placement_ = LivePlacement(settings_.policy, PipelineShift(GST_ELEMENT(element_)));
  clock_.forget();
  meter_.reset();
  play_on_ns_ = kNoTime;
  format_.reset();
  segment_.reset();
  base_shift_ns_ = 0;
  last_running_ns_ = 0;
  tags_.clear();
  any_layout_ = true;
  bounded_ = settings_.policy == Policy::queue;
  segment_due_ = true;
  delivered_ = false;
  played_ = false;
  lost_ = 0;
  inlet_.begin();
  if (!live_) return open_inlet(settings_.stream);
  try {
    check_stream_name(settings_.stream);
    return true;
  } catch (const Error& error) {
    refuse(error.code(), error.message());
    return false;
  }
}

bool Source::open_inlet(const std::string& stream) {
  settings_.stream = stream;
  connects_ = 0;
  corrupted_ = 0;
  missed_ = 0;
  away_since_ns_ = monotonic_ns();
  try {
    inlet_.open(stream, settings_.reader_options());
    return true;
  } catch (const Error& error) {
    refuse(error.code(), error.message());
  } catch (const std::exception& error) {
    refuse(ErrorCode::internal, error.what());
  }
  return false;
}

void Source::refuse(ErrorCode code, const std::string& reason) {
  const std::string why = in_properties(reason);
  const std::string what = "Cannot read stream \"" + settings_.stream + "\".";
  switch (code) {
    case ErrorCode::bad_argument:
      GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS, ("%s", what.c_str()), ("%s", why.c_str()));
      break;
    case ErrorCode::not_found:
      GST_ELEMENT_ERROR(
          element_, RESOURCE, NOT_FOUND, ("%s", what.c_str()),
          ("reconnect=false does not wait for its writer, which has to be there before; %s", why.c_str()));
      break;
    case ErrorCode::no_permission:
      GST_ELEMENT_ERROR(element_, RESOURCE, NOT_AUTHORIZED, ("%s", what.c_str()), ("%s", why.c_str()));
      break;
    default: GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_READ, ("%s", what.c_str()), ("%s", why.c_str()));
  }
}

void Source::close() {
  tell_parting(Parting::stopped);
  inlet_.close();
  placement_ = {};
}

// Buffers of the writer before do not count against this one's quota.
void Source::new_slots() {
  ring_slots_ = inlet_.slots();
  const std::lock_guard lock(mutex_);
  slots_ = std::make_shared<HeldSlots>();
}

void Source::resume() {
  segment_due_ = true;
  flushed_ = true;
  inlet_.resume();
}

bool Source::play() {
  time_line_changed_ = true;
  // Before the first time the streaming thread waits for PLAYING, and has nothing to do with the inlet.
  if (!inlet_.is_open()) {
    if (!open_inlet(settings_.stream)) return false;
  } else if (played_) {
    play_on_ns_ = monotonic_ns();
  }
  played_ = true;
  inlet_.play();
  return true;
}

// False when the new stream cannot be opened: said on the bus.
bool Source::switch_stream() {
  const auto stream = inlet_.take_target();
  if (!stream || *stream == settings_.stream) return true;
  GST_INFO_OBJECT(element_, "from stream \"%s\" to \"%s\"", settings_.stream.c_str(), stream->c_str());
  {
    const std::lock_guard lock(mutex_);
    before_ = sum(before_, inlet_.stats());
  }
  tell_parting(Parting::switched);
  return open_inlet(*stream);
}

GstFlowReturn Source::create(GstBuffer** buffer) {
  try {
    for (;;) {
      Frame frame;
      bool again = false;
      if (const GstFlowReturn flow = next(frame, again); flow != GST_FLOW_OK) return flow;
      if (again) continue;
      const GstFlowReturn flow = hand_on(frame, buffer, again);
      if (flow != GST_FLOW_OK || !again) return flow;
    }
  } catch (const std::exception& error) {
    return fail("A frame of stream \"" + settings_.stream + "\" cannot be handed on.", error.what());
  }
}

// One wait. `again` when there is no frame to hand on yet.
GstFlowReturn Source::next(Frame& frame, bool& again) {
  again = true;
  switch (inlet_.take(frame)) {
    case Inlet::Came::frame: {
      again = false;
      bool met = false;
      return meet_writer(met);
    }
    case Inlet::Came::nothing: return look_around();
    case Inlet::Came::ended:
      GST_INFO_OBJECT(element_, "stream \"%s\" has ended", settings_.stream.c_str());
      tell_parting(Parting::ended);
      return GST_FLOW_EOS;
    case Inlet::Came::closed: return without_writer();
    case Inlet::Came::flushing: return GST_FLOW_FLUSHING;
    case Inlet::Came::retarget: return switch_stream() ? GST_FLOW_OK : GST_FLOW_ERROR;
    case Inlet::Came::failed: break;
  }
  return fail("Cannot read stream \"" + settings_.stream + "\".", in_properties(inlet_.error()));
}

// After a while without a frame: has the writer gone, or come without having written yet?
GstFlowReturn Source::look_around() {
  bool met = false;
  if (const GstFlowReturn flow = meet_writer(met); flow != GST_FLOW_OK || met) return flow;
  if (inlet_.connected()) {
    away_since_ns_ = monotonic_ns();
    ask_after_gap();
    return GST_FLOW_OK;
  }
  tell_parting(Parting::lost);
  if (connects_ != 0 && settings_.on_disconnect != OnDisconnect::none) return without_writer();
  if (inlet_.parked()) {  // met, and slow or paused: it says no more of itself than one that is connected
    away_since_ns_ = monotonic_ns();
    return GST_FLOW_OK;
  }
  if (settings_.timeout_ns != 0 &&
      monotonic_ns() - away_since_ns_ >= static_cast<std::int64_t>(settings_.timeout_ns))
    return without_writer();
  tell_of_absence();
  return GST_FLOW_OK;
}

// A name or a directory that is not the writer's looks like one that is late: after a while it is said, once
// an absence, what is waited for and what there is.
void Source::tell_of_absence() {
  if (absence_told_ns_ == away_since_ns_ || monotonic_ns() - away_since_ns_ < kAbsenceNoticeNs) return;
  absence_told_ns_ = away_since_ns_;
  GST_ELEMENT_WARNING(element_, RESOURCE, NOT_FOUND,
                      ("Waiting for the writer of stream \"%s\".", settings_.stream.c_str()),
                      ("%s", absence_text(settings_.stream).c_str()));
}

// Another writer than before: `met`.
GstFlowReturn Source::meet_writer(bool& met) {
  const ReaderStats& stats = inlet_.last_stats();
  if (std::exchange(corrupted_, stats.corrupted) != stats.corrupted &&
      settings_.on_corrupted == OnCorrupted::error)
    return fail("A frame of stream \"" + settings_.stream + "\" is corrupted.",
                "it does not match its checksum; on-corrupted=drop would leave it out, =pass hand it on");
  met = connects_ != stats.connects;
  if (!met) return GST_FLOW_OK;
  const bool again = std::exchange(connects_, stats.connects) != 0;
  if (again) {
    tell_parting(Parting::lost);
    if (settings_.on_disconnect != OnDisconnect::none) return without_writer();
  }
  discont_ = true;
  joined_ = true;
  placement_.join();
  meter_.forget();
  gate_.close();
  new_slots();
  away_since_ns_ = monotonic_ns();
  tell_connected();
  return GST_FLOW_OK;
}

// What its absence means, where it does not mean to wait.
GstFlowReturn Source::without_writer() {
  const bool lost = connects_ != 0;
  tell_parting(Parting::lost);
  switch (settings_.on_disconnect) {
    case OnDisconnect::eos:
      if (lost || settings_.reconnect) return GST_FLOW_EOS;
      break;
    case OnDisconnect::none:
      if (lost && !settings_.reconnect) return GST_FLOW_EOS;
      break;
    case OnDisconnect::error: break;
  }
  if (!lost && !settings_.reconnect) {
    refuse(ErrorCode::not_found, absence_text(settings_.stream));
    return GST_FLOW_ERROR;
  }
  if (lost && settings_.on_disconnect == OnDisconnect::error)
    return fail("Stream \"" + settings_.stream + "\" has lost its writer.",
                "it went away without ending the stream, and on-disconnect is error");
  // One may be there that does not answer, or has nothing to write yet: the details say so.
  return fail("Waited in vain for the writer of stream \"" + settings_.stream + "\".",
              std::to_string(settings_.timeout_ns / 1'000'000) +
                  " ms (timeout) have passed: " + absence_text(settings_.stream));
}

void Source::tell_connected() {
  connected_ = true;
  GST_INFO_OBJECT(element_,
                  "connected to stream \"%s\": writer %" G_GUINT64_FORMAT " of this reader, %u slots",
                  settings_.stream.c_str(), static_cast<guint64>(connects_), ring_slots_.load());
  g_signal_emit_by_name(element_, "connected", settings_.stream.c_str(), static_cast<guint64>(connects_));
}

void Source::tell_parting(Parting why) {
  if (!std::exchange(connected_, false)) return;
  away_since_ns_ = monotonic_ns();
  GST_INFO_OBJECT(element_, "disconnected from stream \"%s\": %s", settings_.stream.c_str(), word_for(why));
  g_signal_emit_by_name(element_, "disconnected", settings_.stream.c_str(), word_for(why));
}

GstStructure* Source::stats() const {
  const std::lock_guard lock(mutex_);
  const ReaderStats now = sum(before_, inlet_.stats());
  const auto number = [](std::uint64_t value) { return static_cast<guint64>(value); };
  return gst_structure_new(
      "application/x-reel-reader-stats", "delivered", G_TYPE_UINT64, number(now.delivered), "verified",
      G_TYPE_UINT64, number(now.verified), "corrupted", G_TYPE_UINT64, number(now.corrupted), "skipped",
      G_TYPE_UINT64, number(now.skipped), "lapped", G_TYPE_UINT64, number(now.lapped), "late", G_TYPE_UINT64,
      number(counts_.late), "undecodable", G_TYPE_UINT64, number(counts_.undecodable), "connects",
      G_TYPE_UINT64, number(now.connects), "copied", G_TYPE_UINT64, number(counts_.copied), "repacked",
      G_TYPE_UINT64, number(counts_.repacked), "held", G_TYPE_UINT, slots_->held(), "sequence", G_TYPE_UINT64,
      number(sequence_.load(std::memory_order_relaxed)), nullptr);
}

// A writer's ring keeps so many frames for a reader of policy queue before it laps it; a lossless reader is
// waited for, and one that wants the latest frame leaves the others out on purpose.
Source::Latency Source::latency() const noexcept {
  // Buffers that get their times when they are handed on are never behind them.
  if (stamped_anew_.load(std::memory_order_relaxed)) return {0, GST_CLOCK_TIME_NONE};
  const auto least = static_cast<GstClockTime>(meter_.latency_ns());
  const auto depth = static_cast<GstClockTime>(meter_.frame_duration_ns()) * ring_slots_.load();
  return {least, bounded_.load() && depth != 0 ? least + depth : GST_CLOCK_TIME_NONE};
}

}  // namespace reel::gst
