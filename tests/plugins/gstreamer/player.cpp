#include "player.hpp"

#include <algorithm>

#include <reel_test/wait_until.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

bool has(GstBuffer* buffer, GstBufferFlags flag) {
  return GST_BUFFER_FLAG_IS_SET(buffer, flag) != FALSE;
}

std::string text_of(const GstStructure* structure) {
  if (structure == nullptr) return {};
  gchar* text = gst_structure_to_string(structure);
  std::string copy = text;
  g_free(text);
  return copy;
}

}  // namespace

Player::Player(const std::string& line) {
  set_up();
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  GError* error = nullptr;
  pipeline_ = gst_parse_launch(line.c_str(), &error);
  EXPECT_EQ(error, nullptr) << error->message;
  if (GST_IS_PIPELINE(pipeline_) == FALSE) {
    GstElement* pipeline = gst_pipeline_new(nullptr);
    gst_bin_add(GST_BIN(pipeline), pipeline_);
    pipeline_ = pipeline;
  }
  source_ = gst_bin_get_by_name(GST_BIN(pipeline_), "source");
  EXPECT_NE(source_, nullptr) << "name=source is missing: " << line;
  GstPad* pad = gst_element_get_static_pad(source_, "src");
  gst_pad_add_probe(
      pad,
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                   GST_PAD_PROBE_TYPE_EVENT_FLUSH),
      on_data, this, nullptr);
  gst_object_unref(pad);
}

Player::~Player() {
  stop();
  gst_object_unref(source_);
  gst_object_unref(pipeline_);
}

GstStateChangeReturn Player::to(GstState state) {
  return gst_element_set_state(pipeline_, state);
}

GstElement* Player::element(const char* name) const {
  GstElement* found = gst_bin_get_by_name(GST_BIN(pipeline_), name);
  EXPECT_NE(found, nullptr) << name;
  if (found != nullptr) gst_object_unref(found);
  return found;
}

GstPadProbeReturn Player::on_data(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer self) {
  auto* player = static_cast<Player*>(self);
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0)
    player->note_buffer(GST_PAD_PROBE_INFO_BUFFER(info));
  else
    player->note_event(GST_PAD_PROBE_INFO_EVENT(info));
  return GST_PAD_PROBE_OK;
}

void Player::note_buffer(GstBuffer* buffer) {
  Left one;
  one.what = "buffer";
  one.pts = GST_BUFFER_PTS(buffer);
  one.dts = GST_BUFFER_DTS(buffer);
  one.duration = GST_BUFFER_DURATION(buffer);
  one.offset = GST_BUFFER_OFFSET(buffer);
  one.bytes = gst_buffer_get_size(buffer);
  guint8 byte = 0;
  if (gst_buffer_extract(buffer, 0, &byte, 1) == 1) one.first_byte = byte;
  one.discont = has(buffer, GST_BUFFER_FLAG_DISCONT);
  one.corrupted = has(buffer, GST_BUFFER_FLAG_CORRUPTED);
  one.delta = has(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  one.header = has(buffer, GST_BUFFER_FLAG_HEADER);
  const std::lock_guard lock(mutex_);
  guint64 running = 0;
  const gint sign = gst_segment_to_running_time_full(&segment_, GST_FORMAT_TIME, one.pts, &running);
  one.running_ns = sign * static_cast<std::int64_t>(running);
  left_.push_back(std::move(one));
}

void Player::note_event(GstEvent* event) {
  Left one;
  one.what = GST_EVENT_TYPE_NAME(event);
  one.text = gstreamer_test::text_of(gst_event_get_structure(event));
  const std::lock_guard lock(mutex_);
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) gst_event_copy_segment(event, &segment_);
  if (GST_EVENT_TYPE(event) == GST_EVENT_GAP) gst_event_parse_gap(event, &one.pts, &one.duration);
  left_.push_back(std::move(one));
}

std::vector<Left> Player::left() const {
  const std::lock_guard lock(mutex_);
  return left_;
}

std::vector<Left> Player::buffers() const {
  std::vector<Left> buffers = left();
  std::erase_if(buffers, [](const Left& one) { return one.what != "buffer"; });
  return buffers;
}

std::size_t Player::count(const std::string& what) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(left_.begin(), left_.end(), [&](const Left& one) { return one.what == what; }));
}

bool Player::wait_for(std::size_t buffers) const {
  return reel_test::wait_until([&] { return count("buffer") >= buffers; });
}

void Player::forget() {
  const std::lock_guard lock(mutex_);
  left_.clear();
}

std::uint64_t Player::stat(const char* name) const {
  GstStructure* stats = nullptr;
  g_object_get(source_, "stats", &stats, nullptr);
  guint64 value = 0;
  guint small = 0;
  if (gst_structure_get_uint64(stats, name, &value) == FALSE) {
    EXPECT_TRUE(gst_structure_get_uint(stats, name, &small)) << name;
    value = small;
  }
  gst_structure_free(stats);
  return value;
}

std::string Player::text_of(GstMessage* message) {
  if (message == nullptr) return {};
  std::string text = GST_MESSAGE_TYPE_NAME(message);
  GError* error = nullptr;
  gchar* details = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) gst_message_parse_error(message, &error, &details);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) gst_message_parse_warning(message, &error, &details);
  if (error != nullptr) {
    text += std::string(": ") + error->message + " " + (details != nullptr ? details : "");
    g_error_free(error);
    g_free(details);
  } else if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_EOS) {
    text += " " + gstreamer_test::text_of(gst_message_get_structure(message));
  }
  gst_message_unref(message);
  return text;
}

std::string Player::message(GstMessageType types) {
  GstBus* bus = gst_element_get_bus(pipeline_);
  std::string text = text_of(gst_bus_timed_pop_filtered(bus, 60 * GST_SECOND, types));
  gst_object_unref(bus);
  return text;
}

std::string Player::message_there_is(GstMessageType types) {
  GstBus* bus = gst_element_get_bus(pipeline_);
  std::string text = text_of(gst_bus_pop_filtered(bus, types));
  gst_object_unref(bus);
  return text;
}

void SourceTest::set_up_gstreamer() {
  set_up();
}

void SourceTest::write(reel::FrameWriter& writer, int value, const reel::FrameInfo& info) {
  reel::Loan loan;
  ASSERT_EQ(writer.acquire(loan), reel::WriteStatus::ok) << writer.error();
  const auto bytes = loan.data();
  std::fill(bytes.begin(), bytes.end(), static_cast<std::byte>(value));
  ASSERT_EQ(writer.publish(std::move(loan), info), reel::WriteStatus::ok) << writer.error();
}

bool SourceTest::wait_for_readers(const reel::FrameWriter& writer, std::size_t count) {
  return reel_test::wait_until([&] { return writer.readers().size() >= count; });
}

}  // namespace gstreamer_test
