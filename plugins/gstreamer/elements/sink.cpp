#include "sink.hpp"

#include <span>
#include <string_view>
#include <utility>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/gst/caps.hpp>
#include <reel/gst/clock.hpp>
#include <reel/gst/frame_info.hpp>
#include <reel/gst/pointers.hpp>
#include <reel/gst/video_buffer.hpp>

#include "event_text.hpp"
#include "side_data.hpp"

namespace reel::gst {
namespace {

class ReadMap {
 public:
  explicit ReadMap(GstBuffer* buffer) : buffer_(buffer) {
    if (gst_buffer_map(buffer, &map_, GST_MAP_READ) == FALSE)
      throw Error(ErrorCode::io,
                  "a buffer of " + std::to_string(gst_buffer_get_size(buffer)) +
                      " bytes cannot be mapped for reading: its memory is not the processor's");
  }
  ReadMap(const ReadMap&) = delete;
  ReadMap& operator=(const ReadMap&) = delete;
  ~ReadMap() { gst_buffer_unmap(buffer_, &map_); }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return std::as_bytes(std::span(map_.data, map_.size));
  }

 private:
  GstBuffer* buffer_;
  GstMapInfo map_{};
};

}  // namespace

GstFlowReturn Sink::fail(const std::string& what, const std::string& detail) {
  GST_ELEMENT_ERROR(element_, RESOURCE, WRITE, ("%s", what.c_str()), ("%s", detail.c_str()));
  return GST_FLOW_ERROR;
}

bool Sink::open(const SinkSettings& settings) {
  settings_ = settings;
  format_.reset();
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  waited_ = false;
  tags_.clear();
  metas_lost_.clear();
  return open_writer();
}

bool Sink::open_writer() {
  try {
    auto writer = std::make_shared<FrameWriter>(settings_.stream, writer_options(settings_));
    if (format_) writer->set_format(*format_);
    const std::lock_guard lock(mutex_);
    writer_ = std::move(writer);
    if (unlocked_) writer_->interrupt();
  } catch (const Error& error) {
    const std::string what = "Cannot write stream \"" + settings_.stream + "\".";
    if (error.code() == ErrorCode::in_use)
      GST_ELEMENT_ERROR(element_, RESOURCE, BUSY, ("%s", what.c_str()), ("%s", error.what()));
    else
      GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_WRITE, ("%s", what.c_str()), ("%s", error.what()));
    return false;
  } catch (const std::exception& error) {
    (void)fail("Cannot write stream \"" + settings_.stream + "\".", error.what());
    return false;
  }
  segment_known_ = false;
  ended_ = false;
  return true;
}

void Sink::close() {
  std::shared_ptr<FrameWriter> writer;
  const std::lock_guard lock(mutex_);
  writer = std::move(writer_);
}

bool Sink::set_caps(GstCaps* caps) {
  try {
    Format format = format_from_caps(caps);
    if (format.video() != nullptr && gst_video_info_from_caps(&video_info_, caps) == FALSE)
      throw Error(ErrorCode::unsupported, "GStreamer itself knows no such raw video");
    writer_->set_format(format);
    format_ = std::move(format);
    return true;
  } catch (const std::exception& error) {
    const Text text(gst_caps_to_string(caps));
    GST_ELEMENT_ERROR(element_, STREAM, FORMAT,
                      ("Stream \"%s\" cannot carry these caps.", settings_.stream.c_str()),
                      ("%s: %s", text.get(), error.what()));
    return false;
  }
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
    writer_->set_tags(written.text);
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
  writer_->set_segment(segment_from(segment_, monotonic_offset_ns_));
  segment_known_ = true;
}

FrameInfo Sink::info_of(GstBuffer* buffer) const {
  FrameInfo info = frame_info(buffer);
  info.capture_ns = reference_time(buffer);
  if (info.capture_ns == kNoTime) info.capture_ns = capture_time(segment_, info.pts_ns, monotonic_offset_ns_);
  if (info.capture_ns == kNoTime) info.capture_ns = monotonic_ns();
  return info;
}

// A wait that unlock() broke goes on when the element is in PLAYING again; or the flow ends.
template <typename Write>
GstFlowReturn Sink::uninterrupted(Write&& write) {
  for (;;) {
    const WriteStatus status = write();
    if (status == WriteStatus::ok) return GST_FLOW_OK;
    if (status != WriteStatus::interrupted)
      return fail("Cannot write to stream \"" + settings_.stream + "\".", writer_->error());
    if (const GstFlowReturn flow = gst_base_sink_wait_preroll(element_); flow != GST_FLOW_OK) return flow;
  }
}

WriteStatus Sink::fill(Loan& loan, GstBuffer* buffer) {
  const bool video = format_ && format_->video() != nullptr;
  if (video) {
    const VideoBuffer picture(buffer, video_info_, *format_);
    if (const WriteStatus status = writer_->acquire(loan, picture.bytes()); status != WriteStatus::ok)
      return status;
    if (!picture.copy_to(loan)) return WriteStatus::too_large;
  } else {
    const ReadMap map(buffer);
    if (const WriteStatus status = writer_->acquire(loan, map.bytes().size()); status != WriteStatus::ok)
      return status;
    if (!loan.copy_from(map.bytes())) return WriteStatus::too_large;
  }
  collect_side_data(buffer, loan.format(), loan.side_data(), metas_lost_);
  return WriteStatus::ok;
}

GstFlowReturn Sink::ready() {
  if (ended_ && !open_writer()) return GST_FLOW_ERROR;
  while (!waited_ && !readers_are_there()) {
    if (const GstFlowReturn flow = gst_base_sink_wait_preroll(element_); flow != GST_FLOW_OK) return flow;
  }
  name_segment();
  return GST_FLOW_OK;
}

// False when unlock() broke the wait.
bool Sink::readers_are_there() {
  if (!writer_->wait_for_readers(settings_.wait_for_readers)) return false;
  waited_ = true;
  return true;
}

GstFlowReturn Sink::render(GstBuffer* buffer) {
  try {
    if (const GstFlowReturn flow = ready(); flow != GST_FLOW_OK) return flow;
    if (format_ && format_->video() != nullptr && gst_buffer_get_size(buffer) == 0)
      return render_gap(GST_BUFFER_PTS(buffer), GST_BUFFER_DURATION(buffer));  // a picture without pixels
    Loan loan;
    const GstFlowReturn flow = uninterrupted([&] { return fill(loan, buffer); });
    if (flow != GST_FLOW_OK) return flow;
    if (writer_->publish(std::move(loan), info_of(buffer)) != WriteStatus::ok)
      return fail("Cannot write to stream \"" + settings_.stream + "\".", writer_->error());
    if (writer_->take_key_frame_request())
      gst_pad_push_event(GST_BASE_SINK_PAD(element_), gst_video_event_new_upstream_force_key_unit(
                                                          GST_CLOCK_TIME_NONE, TRUE, key_frames_asked_++));
    return GST_FLOW_OK;
  } catch (const std::exception& error) {
    return fail("A buffer cannot go into stream \"" + settings_.stream + "\".", error.what());
  }
}

GstFlowReturn Sink::render_gap(GstClockTime pts, GstClockTime duration) {
  if (const GstFlowReturn flow = ready(); flow != GST_FLOW_OK) return flow;
  const auto time = [](GstClockTime value) {
    return GST_CLOCK_TIME_IS_VALID(value) ? static_cast<std::int64_t>(value) : kNoTime;
  };
  return uninterrupted([&] { return writer_->write_gap(time(pts), time(duration)); });
}

GstFlowReturn Sink::render_event(GstEvent* event) {
  const auto text = event_text(event);
  if (!text) {
    metas_lost_.count("event");
    return GST_FLOW_OK;
  }
  if (const GstFlowReturn flow = ready(); flow != GST_FLOW_OK) return flow;
  return uninterrupted([&] { return writer_->write_event(*text); });
}

void Sink::end() {
  writer_->end();
  ended_ = true;
}

void Sink::flushed() {
  segment_known_ = false;
}

void Sink::unlock() {
  const std::lock_guard lock(mutex_);
  unlocked_ = true;
  if (writer_) writer_->interrupt();
}

void Sink::resume() {
  const std::lock_guard lock(mutex_);
  unlocked_ = false;
  if (writer_) writer_->resume();
}

std::uint32_t Sink::clients() const {
  const std::lock_guard lock(mutex_);
  return writer_ ? static_cast<std::uint32_t>(writer_->readers().size()) : 0;
}

GstStructure* Sink::stats() const {
  const std::lock_guard lock(mutex_);
  const WriterStats now = writer_ ? writer_->stats() : WriterStats{};
  const auto number = [](std::uint64_t value) { return static_cast<guint64>(value); };
  GstStructure* stats = gst_structure_new(
      "application/x-reel-writer-stats", "published", G_TYPE_UINT64, number(now.published), "bytes",
      G_TYPE_UINT64, number(now.bytes), "copied", G_TYPE_UINT64, number(now.copied), "waits", G_TYPE_UINT64,
      number(now.waits), "demoted", G_TYPE_UINT64, number(now.demoted), "refused", G_TYPE_UINT64,
      number(now.refused), "epochs", G_TYPE_UINT64, number(now.epochs), "metas-lost", G_TYPE_UINT64,
      number(metas_lost_.total()), nullptr);
  GValue by_type = G_VALUE_INIT;
  g_value_init(&by_type, GST_TYPE_STRUCTURE);
  g_value_take_boxed(&by_type, metas_lost_.by_type());
  gst_structure_take_value(stats, "metas-lost-by-type", &by_type);
  return stats;
}

}  // namespace reel::gst
