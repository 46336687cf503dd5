#include "sink.hpp"

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/gst/caps.hpp>
#include <reel/gst/clock.hpp>
#include <reel/gst/frame_info.hpp>
#include <reel/gst/pointers.hpp>
#include <reel/gst/read_map.hpp>
#include <reel/gst/slot_pool.hpp>
#include <reel/gst/video_buffer.hpp>

#include "default_layout.hpp"
#include "event_text.hpp"
#include "property_names.hpp"
#include "side_data.hpp"

GST_DEBUG_CATEGORY_EXTERN(reel_sink_debug);
#define GST_CAT_DEFAULT reel_sink_debug

namespace reel::gst {
GstFlowReturn Sink::fail(WriteStatus status) {
  const bool full = status == WriteStatus::too_large || status == WriteStatus::no_memory;
  gst_element_message_full(GST_ELEMENT(element_), GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
                           full ? GST_RESOURCE_ERROR_NO_SPACE_LEFT : GST_RESOURCE_ERROR_WRITE,
                           g_strdup_printf("Cannot write to stream \"%s\".", settings_.stream.c_str()),
                           g_strdup(in_properties(slots_->error()).c_str()), __FILE__, GST_FUNCTION,
                           __LINE__);
  return GST_FLOW_ERROR;
}

namespace {

// At once, not with the next buffer: that would be the first which the encoder can still change.
void ask_for_key_frame(GstElement* element, gpointer /*data*/) {
  gst_pad_push_event(GST_BASE_SINK_PAD(element),
                     gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
}

}  // namespace

std::shared_ptr<FrameWriter> Sink::make_writer() {
  WriterOptions options = writer_options(settings_);
  options.on_reader = [this](const ReaderChange& change) { reader_signals_.tell(change); };
  options.on_key_frame_request = [element = GST_ELEMENT(element_)] {
    gst_element_call_async(element, ask_for_key_frame, nullptr, nullptr);
  };
  return std::make_shared<FrameWriter>(settings_.stream, options);
}

bool Sink::open(const SinkSettings& settings) {
  settings_ = settings;
  format_.reset();
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  waited_ = false;
  tags_.clear();
  metas_lost_.clear();
  try {
    const std::uint32_t loans = writer_options(settings_).loans;
    auto slots = std::make_shared<StreamSlots>(make_writer(), loans);
    const std::lock_guard lock(mutex_);
    slots_ = std::move(slots);
    refused_told_.clear();
    if (unlocked_) slots_->interrupt();
  } catch (const std::exception& error) {
    (void)cannot_open(error);
    return false;
  }
  segment_known_ = false;
  ended_ = false;
  return true;
}

// What follows an end of stream is a new stream of the same name, under its readers' eyes.
bool Sink::reopen() {
  try {
    slots()->restart([this] { return make_writer(); }, writer_options(settings_).loans);
  } catch (const std::exception& error) {
    (void)cannot_open(error);
    return false;
  }
  segment_known_ = false;
  ended_ = false;
  waited_ = false;  // its readers come anew
  return true;
}

GstFlowReturn Sink::cannot_open(const std::exception& error) {
  const auto* known = dynamic_cast<const Error*>(&error);
  const bool busy = known != nullptr && known->code() == ErrorCode::in_use;
  const bool wrong = known != nullptr && known->code() == ErrorCode::bad_argument;
  const GstResourceError code = busy    ? GST_RESOURCE_ERROR_BUSY
                                : wrong ? GST_RESOURCE_ERROR_SETTINGS
                                        : GST_RESOURCE_ERROR_OPEN_WRITE;
  gst_element_message_full(GST_ELEMENT(element_), GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, code,
                           g_strdup_printf("Cannot write stream \"%s\".", settings_.stream.c_str()),
                           g_strdup(in_properties(error, settings_.stream).c_str()), __FILE__, GST_FUNCTION,
                           __LINE__);
  return GST_FLOW_ERROR;
}

void Sink::close() {
  std::shared_ptr<StreamSlots> last;
  {
    const std::lock_guard lock(mutex_);
    last = std::move(slots_);
  }
  if (!last) return;
  GST_INFO_OBJECT(element_, "leaves stream \"%s\"", settings_.stream.c_str());
  {
    const std::lock_guard lock(mutex_);
    last_counts_ = last->counts();
    last->look([this](const FrameWriter& writer) { last_written_ = writer.stats(); });
  }
  last->close();  // buffers that elements still hold keep the rest
}

std::shared_ptr<StreamSlots> Sink::slots() const {
  const std::lock_guard lock(mutex_);
  return slots_;
}

bool Sink::set_caps(GstCaps* caps) {
  try {
    Format format = format_from_caps(caps);
    const bool raw_video = gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw") != FALSE &&
                           gst_video_info_from_caps(&video_info_, caps) != FALSE;
    if (format.video() != nullptr && !raw_video)
      throw Error(ErrorCode::unsupported, "GStreamer itself knows no such raw video");
    opaque_video_ = raw_video && format.video() == nullptr;
    GST_INFO_OBJECT(element_, "stream \"%s\" is of %" GST_PTR_FORMAT, settings_.stream.c_str(),
                    static_cast<void*>(caps));
    slots_->set_format(format);
    format_ = std::move(format);
    return true;
  } catch (const std::exception& error) {
    const Text text(gst_caps_to_string(caps));
    GST_ELEMENT_ERROR(element_, STREAM, FORMAT,
                      ("Stream \"%s\" cannot carry these caps.", settings_.stream.c_str()),
                      ("%s: %s", text.get(), in_properties(error, settings_.stream).c_str()));
    return false;
  }
}

void Sink::tell_of_refused(const GstCaps* offered) {
  const std::string memory = refused_memory(offered);
  if (memory.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    if (!slots_ || !refused_told_.insert(memory).second) return;
  }
  GST_ELEMENT_WARNING(element_, STREAM, FORMAT,
                      ("Stream \"%s\" was offered nothing but %s.", settings_.stream.c_str(), memory.c_str()),
                      ("%s", refusal_of(memory).c_str()));
}

bool Sink::propose_allocation(GstQuery* query) {
  const auto present = slots();
  return present && propose_slots(query, present);
}

void Sink::set_segment(const GstSegment& segment) {
  segment_ = segment;
  segment_known_ = false;
}

bool Sink::set_tags(GstTagList* tags) {
  try {
    tags_.merge(tags);
    const TagText::Written written = tags_.write();
    for (const std::string& tag : written.left_out)
      GST_ELEMENT_WARNING(
          element_, RESOURCE, WRITE, ("A tag of stream \"%s\" is left out.", settings_.stream.c_str()),
          ("%s does not fit: the tags of a stream take %zu bytes at most", tag.c_str(), kMaxTagsBytes));
    slots_->with_writer([&](FrameWriter& writer) { writer.set_tags(written.text); });
  } catch (const std::exception& error) {
    GST_ELEMENT_WARNING(element_, RESOURCE, WRITE,
                        ("Tags of stream \"%s\" are left out.", settings_.stream.c_str()),
                        ("%s", error.what()));
  }
  return true;
}

// As late as this: before PLAYING there is no base time.
void Sink::name_segment() {
  if (segment_known_) return;
  monotonic_offset_ns_ = monotonic_offset(GST_ELEMENT(element_));
  const Segment ours = segment_from(segment_, monotonic_offset_ns_);
  slots_->with_writer([&](FrameWriter& writer) { writer.set_segment(ours); });
  segment_known_ = true;
}

FrameInfo Sink::info_of(GstBuffer* buffer) const {
  FrameInfo info = frame_info(buffer);
  info.capture_ns = reference_time(buffer);
  if (info.capture_ns == kNoTime) info.capture_ns = capture_time(segment_, info.pts_ns, monotonic_offset_ns_);
  if (info.capture_ns == kNoTime) info.capture_ns = monotonic_ns();
  return info;
}

// To PLAYING and back to PAUSED at once, and the base class, which is prerolled already, does not ask for a
// preroll again: its need_preroll is FALSE in PAUSED. Waiting for anything else then, with the preroll lock
// held, would keep the element from ever playing again.
bool Sink::paused() const noexcept {
  if (element_->need_preroll != FALSE) return true;
  if (!paused_.load(std::memory_order_acquire)) return false;
  // A preroll that completes a change to PLAYING puts the element there without a change of ours.
  GST_OBJECT_LOCK(element_);
  const bool plays =
      GST_STATE(element_) == GST_STATE_PLAYING && GST_STATE_NEXT(element_) == GST_STATE_VOID_PENDING;
  GST_OBJECT_UNLOCK(element_);
  return !plays;
}

GstFlowReturn Sink::wait_to_play() {
  GstFlowReturn flow = GST_FLOW_OK;
  do {
    flow = gst_base_sink_wait_preroll(element_);
  } while (flow == GST_FLOW_OK && paused());
  return flow;
}

void Sink::pause() noexcept {
  paused_.store(true, std::memory_order_release);
}

// Behind the base class's own signal, which finds whoever waits still paused. Whoever never was may have the
// lock for as long as it waits for readers.
void Sink::play() noexcept {
  if (!paused_.load(std::memory_order_acquire)) return;
  GST_BASE_SINK_PREROLL_LOCK(element_);
  paused_.store(false, std::memory_order_release);
  GST_BASE_SINK_PREROLL_SIGNAL(element_);
  GST_BASE_SINK_PREROLL_UNLOCK(element_);
}

// A wait that unlock() broke goes on when the element is in PLAYING again; or the flow ends.
template <typename Write>
GstFlowReturn Sink::uninterrupted(Write&& write) {
  for (;;) {
    const WriteStatus status = write();
    if (status == WriteStatus::ok) return GST_FLOW_OK;
    if (status != WriteStatus::interrupted) return fail(status);
    if (const GstFlowReturn flow = wait_to_play(); flow != GST_FLOW_OK) return flow;
  }
}

GstFlowReturn Sink::say_unwritten(const std::exception& error) {
  const auto* known = dynamic_cast<const Error*>(&error);
  const bool misfit = known != nullptr && known->code() == ErrorCode::bad_argument;
  const bool full = known != nullptr && known->code() == ErrorCode::no_memory;
  const std::string why = in_properties(error, settings_.stream);
  const std::string what = "A buffer cannot go into stream \"" + settings_.stream + "\".";
  if (misfit)
    GST_ELEMENT_ERROR(element_, STREAM, FORMAT, ("%s", what.c_str()), ("%s", why.c_str()));
  else if (full)
    GST_ELEMENT_ERROR(element_, RESOURCE, NO_SPACE_LEFT, ("%s", what.c_str()), ("%s", why.c_str()));
  else
    GST_ELEMENT_ERROR(element_, RESOURCE, WRITE, ("%s", what.c_str()), ("%s", why.c_str()));
  return GST_FLOW_ERROR;
}

WriteStatus Sink::write(GstBuffer* buffer) {
  const auto collect = [&](const Format& format, SideDataWriter& side_data) {
    collect_side_data(buffer, format, side_data, metas_lost_);
  };
  const VideoFormat* const video = format_ ? format_->video() : nullptr;
  if (video != nullptr) {
    const auto placed = placed_picture(*slots_, buffer, video_info_, *video);
    return placed ? slots_->publish(placed->part, &placed->layout, info_of(buffer), collect)
                  : write_copy(buffer);
  }
  const auto part = slots_->find(buffer);
  const bool lies_right =
      part && part->offset_bytes == 0 && (!opaque_video_ || in_default_layout(buffer, video_info_));
  return lies_right ? slots_->publish(*part, nullptr, info_of(buffer), collect) : write_copy(buffer);
}

WriteStatus Sink::write_copy(GstBuffer* buffer) {
  Loan loan;
  const VideoFormat* const video = format_ ? format_->video() : nullptr;
  if (gst_buffer_get_size(buffer) == 0) {
    if (const WriteStatus status = slots_->acquire(loan, 1); status != WriteStatus::ok) return status;
    (void)loan.set_layout({});
  } else if (video != nullptr) {
    const VideoBuffer picture(buffer, video_info_, *format_);
    if (const WriteStatus status = slots_->acquire(loan, picture.bytes()); status != WriteStatus::ok)
      return status;
    if (!picture.copy_to(loan)) return WriteStatus::too_large;
  } else if (opaque_video_ && !in_default_layout(buffer, video_info_)) {
    if (const WriteStatus status = slots_->acquire(loan, video_info_.size); status != WriteStatus::ok)
      return status;
    copy_to_default_layout(buffer, video_info_, loan);
  } else {
    const ReadMap map(buffer);
    if (const WriteStatus status = slots_->acquire(loan, map.bytes().size()); status != WriteStatus::ok)
      return status;
    if (!loan.copy_from(map.bytes())) return WriteStatus::too_large;
  }
  collect_side_data(buffer, loan.format(), loan.side_data(), metas_lost_);
  return slots_->publish(std::move(loan), info_of(buffer));
}

bool Sink::wait_for_readers() {
  std::vector<std::string> missing;
  if (!slots_->wait_for_named_readers(missing)) return false;
  if (!missing.empty()) {
    std::string names;
    for (const std::string& name : missing) names += (names.empty() ? "" : ", ") + name;
    const auto timeout_ns = static_cast<std::uint64_t>(settings_.writer.start_timeout_ms) * GST_MSECOND;
    GST_ELEMENT_WARNING(element_, RESOURCE, NOT_FOUND,
                        ("Stream \"%s\" begins without readers that wait-for names: %s.",
                         settings_.stream.c_str(), names.c_str()),
                        ("they did not come within start-timeout, %" G_GUINT64_FORMAT
                         " ns; what is published before they come is lost to them. Start them earlier, or "
                         "raise start-timeout",
                         static_cast<guint64>(timeout_ns)));
  }
  return slots_->wait_for_readers(settings_.wait_for_readers);
}

// In front of the first buffer: the memory is made, the readers that were asked for are there, the time line
// has its name.
GstFlowReturn Sink::ready() {
  if (paused()) {
    if (const GstFlowReturn flow = wait_to_play(); flow != GST_FLOW_OK) return flow;
  }
  if (ended_ && !reopen()) return GST_FLOW_ERROR;
  try {
    slots_->open();
    while (!waited_) {
      waited_ = wait_for_readers();
      if (waited_) break;
      if (const GstFlowReturn flow = wait_to_play(); flow != GST_FLOW_OK) return flow;
    }
    name_segment();
    return GST_FLOW_OK;
  } catch (const std::exception& error) {
    return say_unwritten(error);
  }
}

GstFlowReturn Sink::render(GstBuffer* buffer) {
  if (const GstFlowReturn flow = ready(); flow != GST_FLOW_OK) return flow;
  try {
    if (format_ && format_->video() != nullptr && gst_buffer_get_size(buffer) == 0)
      return render_gap(GST_BUFFER_PTS(buffer), GST_BUFFER_DURATION(buffer));  // a picture without pixels
    return uninterrupted([&] { return write(buffer); });
  } catch (const std::exception& error) {
    return say_unwritten(error);
  }
}

WriteStatus Sink::write_other(std::span<const std::byte> payload, FrameKind kind, std::int64_t pts_ns,
                              std::int64_t duration_ns) {
  Loan loan;
  if (const WriteStatus status = slots_->acquire(loan, payload.size() + 1); status != WriteStatus::ok)
    return status;
  if (!loan.set_layout({}) || !loan.copy_from(payload)) return WriteStatus::too_large;
  FrameInfo info;
  info.kind = kind;
  info.pts_ns = pts_ns;
  info.duration_ns = duration_ns;
  return slots_->publish(std::move(loan), info);
}

GstFlowReturn Sink::render_gap(GstClockTime pts, GstClockTime duration) {
  if (const GstFlowReturn flow = ready(); flow != GST_FLOW_OK) return flow;
  const auto time = [](GstClockTime value) {
    return GST_CLOCK_TIME_IS_VALID(value) ? static_cast<std::int64_t>(value) : kNoTime;
  };
  return uninterrupted([&] { return write_other({}, FrameKind::gap, time(pts), time(duration)); });
}

GstFlowReturn Sink::render_event(GstEvent* event) {
  const auto text = event_text(event);
  if (!text) {
    metas_lost_.count("event");
    return GST_FLOW_OK;
  }
  if (const GstFlowReturn flow = ready(); flow != GST_FLOW_OK) return flow;
  const auto payload = std::as_bytes(std::span(std::string_view(*text)));
  return uninterrupted([&] { return write_other(payload, FrameKind::event, kNoTime, kNoTime); });
}

// A stream of which nothing came ends too: its readers wait for it.
void Sink::end() {
  if (ended_) return;
  try {
    slots_->open();
  } catch (const std::exception& error) {
    (void)say_unwritten(error);
  }
  slots_->with_writer([](FrameWriter& writer) { writer.end(); });
  ended_ = true;
}

void Sink::flushed() {
  segment_known_ = false;
}

void Sink::set_flushing(bool on) {
  if (const auto present = slots()) present->refuse(on);
}

void Sink::unlock() {
  const std::lock_guard lock(mutex_);
  unlocked_ = true;
  if (slots_) slots_->interrupt();
}

void Sink::resume() {
  const std::lock_guard lock(mutex_);
  unlocked_ = false;
  if (slots_) slots_->resume();
}

std::uint32_t Sink::clients() const {
  const auto present = slots();
  std::size_t readers = 0;
  if (present) present->look([&](const FrameWriter& writer) { readers = writer.readers().size(); });
  return static_cast<std::uint32_t>(readers);
}

GstStructure* Sink::stats() const {
  const auto present = slots();
  WriterStats written;
  SlotCounts counts;
  {
    const std::lock_guard lock(mutex_);
    written = last_written_;
    counts = last_counts_;
  }
  if (present) counts = present->counts();
  if (present) present->look([&](const FrameWriter& writer) { written = writer.stats(); });
  GstStructure* const all = gst_structure_new_empty("application/x-reel-writer-stats");
  const auto add = [all](const char* name, std::uint64_t value) {
    gst_structure_set(all, name, G_TYPE_UINT64, static_cast<guint64>(value), nullptr);
  };
  add("published", written.published);
  add("bytes", written.bytes);
  add("in-place", counts.in_place);
  add("copied", counts.copied);
  add("heap-buffers", counts.heap);
  add("growths", counts.growths);
  add("waits", written.waits);
  add("demoted", written.demoted);
  add("refused", written.refused);
  add("epochs", written.epochs);
  add("metas-lost", metas_lost_.total());
  GValue by_type = G_VALUE_INIT;
  g_value_init(&by_type, GST_TYPE_STRUCTURE);
  g_value_take_boxed(&by_type, metas_lost_.by_type());
  gst_structure_take_value(all, "metas-lost-by-type", &by_type);
  return all;
}

}  // namespace reel::gst
