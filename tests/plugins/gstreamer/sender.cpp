#include "sender.hpp"

#include <cinttypes>
#include <cstdio>
#include <memory>

#include <gst/video/video.h>

#include <reel/base/checksum.hpp>
#include <reel_test/wait_until.hpp>

#include "pipelines.hpp"

namespace gstreamer_test {
namespace {

struct Unref {
  void operator()(GstElement* element) const { gst_object_unref(element); }
};

// Row by row, without what lies between the rows.
std::uint64_t hash_of_rows(const GstVideoFrame& frame) {
  std::vector<std::byte> seen;
  const GstVideoFormatInfo* format = frame.info.finfo;
  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(&frame); ++plane) {
    guint component = 0;
    while (format->plane[component] != plane) ++component;
    const auto width = static_cast<std::size_t>(
        GST_VIDEO_FORMAT_INFO_SCALE_WIDTH(format, component, GST_VIDEO_FRAME_WIDTH(&frame)));
    const auto rows = GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT(format, component, GST_VIDEO_FRAME_HEIGHT(&frame));
    const std::size_t row_bytes = width * static_cast<std::size_t>(format->pixel_stride[component]);
    const auto* data = static_cast<const std::byte*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, plane));
    for (gint row = 0; row < rows; ++row) {
      const std::byte* begin = data + row * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, plane);
      seen.insert(seen.end(), begin, begin + row_bytes);
    }
  }
  return reel::checksum(seen);
}

GstElement* parse(const std::string& line) {
  set_up();
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(line.c_str(), &error);
  EXPECT_EQ(error, nullptr) << error->message << ": " << line;
  g_clear_error(&error);
  return pipeline;
}

const reel_test::Role watching("watch", [](const std::vector<std::string>& arguments) {
  set_up();
  Watcher watcher(arguments.at(0));
  const std::string end = watcher.end();
  reel_test::say(end + " " + std::to_string(watcher.pictures().size()) + " " +
                 std::to_string(hash_of(watcher.pictures())));
  return end == "ended" ? 0 : 1;
});

}  // namespace

std::uint64_t hash_of(GstBuffer* buffer, const GstCaps* caps) {
  GstVideoInfo info;
  if (gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw") != FALSE &&
      gst_video_info_from_caps(&info, caps) != FALSE) {
    GstVideoFrame frame;
    if (gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ) == FALSE) return 0;
    const std::uint64_t hash = hash_of_rows(frame);
    gst_video_frame_unmap(&frame);
    return hash;
  }
  GstMapInfo map;
  if (gst_buffer_map(buffer, &map, GST_MAP_READ) == FALSE) return 0;
  const std::uint64_t hash = reel::checksum(std::as_bytes(std::span(map.data, map.size)));
  gst_buffer_unmap(buffer, &map);
  return hash;
}

std::uint64_t hash_of(const reel::Frame& frame) {
  if (frame.plane_count() == 0) {
    GstCaps* caps = gst_caps_from_string(frame.format().caps().c_str());
    const auto bytes = frame.data();
    GstBuffer* buffer =
        gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, const_cast<std::byte*>(bytes.data()),
                                    bytes.size(), 0, bytes.size(), nullptr, nullptr);
    const std::uint64_t hash = hash_of(buffer, caps);
    gst_buffer_unref(buffer);
    gst_caps_unref(caps);
    return hash;
  }
  std::vector<std::byte> seen;
  for (std::uint32_t index = 0; index < frame.plane_count(); ++index) {
    const reel::ConstPlaneView plane = frame.plane(index);
    for (std::uint32_t row = 0; row < plane.rows; ++row) {
      const std::byte* begin = plane.data + std::size_t{row} * plane.stride_bytes;
      seen.insert(seen.end(), begin, begin + plane.row_bytes);
    }
  }
  return reel::checksum(seen);
}

std::uint64_t hash_of(const Pictures& pictures) {
  return reel::checksum(std::as_bytes(std::span(pictures)));
}

Pictures plain(const std::string& line) {
  Pictures seen;
  const std::unique_ptr<GstElement, Unref> pipeline(parse(line + " ! fakesink name=out sync=false"));
  const std::unique_ptr<GstElement, Unref> out(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  GstPad* const pad = gst_element_get_static_pad(out.get(), "sink");
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad* at, GstPadProbeInfo* info, gpointer all) {
        GstCaps* caps = gst_pad_get_current_caps(at);
        static_cast<Pictures*>(all)->push_back(hash_of(GST_PAD_PROBE_INFO_BUFFER(info), caps));
        gst_caps_unref(caps);
        return GST_PAD_PROBE_OK;
      },
      &seen, nullptr);
  gst_object_unref(pad);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  GstBus* const bus = gst_element_get_bus(pipeline.get());
  GstMessage* const message = gst_bus_timed_pop_filtered(
      bus, 60 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  EXPECT_TRUE(message != nullptr && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) << line;
  if (message != nullptr) gst_message_unref(message);
  gst_object_unref(bus);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return seen;
}

Sender::Sender(const std::string& line) : pipeline_(parse(line)) {
  sink_ = gst_bin_get_by_name(GST_BIN(pipeline_), "sink");
  EXPECT_NE(sink_, nullptr) << "name=sink is missing: " << line;
  GstPad* const pad = gst_element_get_static_pad(sink_, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, this, nullptr);
  gst_object_unref(pad);
}

Sender::~Sender() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(sink_);
  gst_object_unref(pipeline_);
}

GstStateChangeReturn Sender::to(GstState state) {
  const GstStateChangeReturn now = gst_element_set_state(pipeline_, state);
  if (now != GST_STATE_CHANGE_ASYNC) return now;
  return gst_element_get_state(pipeline_, nullptr, nullptr, 60 * GST_SECOND);
}

GstElement* Sender::element(const char* name) const {
  GstElement* const found = gst_bin_get_by_name(GST_BIN(pipeline_), name);
  if (found != nullptr) gst_object_unref(found);
  return found;
}

GstPadProbeReturn Sender::on_buffer(GstPad* /*pad*/, GstPadProbeInfo* info, gpointer self) {
  GstBuffer* const buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  Passed one{GST_BUFFER_PTS(buffer), {}, gst_buffer_get_size(buffer)};
  GstMapInfo map{};
  if (gst_buffer_n_memory(buffer) == 1 &&
      gst_memory_map(gst_buffer_peek_memory(buffer, 0), &map, GST_MAP_READ) != FALSE) {
    one.mapping = mapping_at(map.data);
    gst_memory_unmap(gst_buffer_peek_memory(buffer, 0), &map);
  }
  auto* sender = static_cast<Sender*>(self);
  const std::lock_guard lock(sender->mutex_);
  sender->passed_.push_back(std::move(one));
  return GST_PAD_PROBE_OK;
}

std::vector<Passed> Sender::passed() const {
  const std::lock_guard lock(mutex_);
  return passed_;
}

bool Sender::wait_for(std::size_t buffers) const {
  return reel_test::wait_until([&] { return passed().size() >= buffers; });
}

std::uint64_t Sender::stat(const char* name) const {
  GstStructure* all = nullptr;
  g_object_get(sink_, "stats", &all, nullptr);
  guint64 value = 0;
  EXPECT_NE(gst_structure_get_uint64(all, name, &value), FALSE) << name;
  gst_structure_free(all);
  return value;
}

std::string Sender::stats() const {
  GstStructure* all = nullptr;
  g_object_get(sink_, "stats", &all, nullptr);
  gchar* const text = gst_structure_to_string(all);
  std::string copy = text;
  g_free(text);
  gst_structure_free(all);
  return copy;
}

std::string Sender::text_of(GstMessage* message) const {
  if (message == nullptr) return {};
  std::string text = "eos";
  const bool is_error = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
  if (is_error || GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
    GError* error = nullptr;
    gchar* details = nullptr;
    (is_error ? gst_message_parse_error : gst_message_parse_warning)(message, &error, &details);
    text = std::string(is_error ? "error: " : "warning: ") + error->message + " " +
           (details != nullptr ? details : "");
    g_error_free(error);
    g_free(details);
  }
  gst_message_unref(message);
  return text;
}

std::string Sender::end() {
  return next(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
}

std::string Sender::next(GstMessageType types) {
  GstBus* const bus = gst_element_get_bus(pipeline_);
  const std::string text = text_of(gst_bus_timed_pop_filtered(bus, 60 * GST_SECOND, types));
  gst_object_unref(bus);
  return text;
}

std::string Sender::error() {
  GstBus* const bus = gst_element_get_bus(pipeline_);
  const std::string text = text_of(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR));
  gst_object_unref(bus);
  return text;
}

reel::ReaderOptions Watcher::lossless() {
  reel::ReaderOptions options;
  options.policy = reel::Policy::lossless;
  return options;
}

Watcher::Watcher(const std::string& stream, const reel::ReaderOptions& options, bool paused)
    : reader_(stream, options), paused_(paused), thread_([this] { run(); }) {}

Watcher::~Watcher() {
  stopped_.store(true, std::memory_order_release);
  reader_.interrupt();
  resume();
  thread_.join();
}

void Watcher::run() {
  reel::Frame frame;
  while (!stopped_.load(std::memory_order_acquire)) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !paused_ || pictures_.empty(); });
    }
    const reel::ReadStatus status = reader_.read(frame, 100);
    if (status == reel::ReadStatus::empty) continue;
    const bool taken = status == reel::ReadStatus::frame;
    const std::uint64_t hash = taken ? hash_of(frame) : 0;
    const std::lock_guard lock(mutex_);
    if (!taken) {
      end_ = std::string(reel::to_string(status)) + (reader_.error().empty() ? "" : ": ") + reader_.error();
      return;
    }
    if (frame.info().kind != reel::FrameKind::media) continue;
    pictures_.push_back(hash);
    pts_ns_.push_back(frame.info().pts_ns);
    std::string caps = frame.format().caps();
    if (caps_.empty() || caps_.back() != caps) caps_.push_back(std::move(caps));
    frame.release();
  }
}

void Watcher::pause() {
  const std::lock_guard lock(mutex_);
  paused_ = true;
}

void Watcher::resume() {
  {
    const std::lock_guard lock(mutex_);
    paused_ = false;
  }
  changed_.notify_all();
}

bool Watcher::wait_for(std::size_t frames) const {
  return reel_test::wait_until([&] { return pictures().size() >= frames; });
}

std::string Watcher::end() {
  std::string end;
  (void)reel_test::wait_until([&] {
    const std::lock_guard lock(mutex_);
    end = end_;
    return !end.empty();
  });
  return end;
}

Pictures Watcher::pictures() const {
  const std::lock_guard lock(mutex_);
  return pictures_;
}

std::vector<std::string> Watcher::caps() const {
  const std::lock_guard lock(mutex_);
  return caps_;
}

std::vector<std::int64_t> Watcher::pts_ns() const {
  const std::lock_guard lock(mutex_);
  return pts_ns_;
}

reel_test::ChildProcess start_watching(const std::string& stream) {
  return reel_test::ChildProcess::role("watch", {stream});
}

std::uint64_t watched(reel_test::ChildProcess& process, std::size_t expected) {
  EXPECT_TRUE(process.wait().ok()) << process.output() << process.errors();
  std::size_t count = 0;
  std::uint64_t hash = 0;
  EXPECT_EQ(std::sscanf(process.output().c_str(), "ended %zu %" SCNu64, &count, &hash), 2)
      << process.output();
  EXPECT_EQ(count, expected);
  return hash;
}

SinkTest::SinkTest() {
  set_up();
}

}  // namespace gstreamer_test
