#include "gst_bench.hpp"

#include <cstring>
#include <ctime>

#include <atomic>

#include <gst/base/gstpushsrc.h>

#include <reel/base/clock.hpp>

namespace {

std::atomic<bool> flowing{false};

}  // namespace

struct BenchSrc {
  GstPushSrc parent;
  guint width, height;
  gboolean paced;
  guint64 count;
  std::int64_t due_ns;
};
struct BenchSrcClass {
  GstPushSrcClass parent_class;
};

G_DEFINE_TYPE(BenchSrc, bench_src, GST_TYPE_PUSH_SRC)

namespace {

constexpr std::int64_t kSecond_ns = 1'000'000'000;
constexpr std::int64_t kFrame_ns = kSecond_ns / reel_gst_bench::kFramesPerSecond;

enum Property : guint { kWidth = 1, kHeight, kPaced };

GstStaticPadTemplate source_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw,format=NV12"));

BenchSrc* self_of(gpointer object) {
  return reinterpret_cast<BenchSrc*>(object);
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* /*spec*/) {
  BenchSrc* self = self_of(object);
  if (id == kWidth) self->width = g_value_get_uint(value);
  if (id == kHeight) self->height = g_value_get_uint(value);
  if (id == kPaced) self->paced = g_value_get_boolean(value);
}

gboolean start(GstBaseSrc* base) {
  const BenchSrc* self = self_of(base);
  gst_base_src_set_blocksize(base, self->width * self->height * 3 / 2);
  return TRUE;
}

GstCaps* get_caps(GstBaseSrc* base, GstCaps* /*filter*/) {
  const BenchSrc* self = self_of(base);
  return gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "NV12", "width", G_TYPE_INT,
                             static_cast<gint>(self->width), "height", G_TYPE_INT,
                             static_cast<gint>(self->height), "framerate", GST_TYPE_FRACTION,
                             reel_gst_bench::kFramesPerSecond, 1, nullptr);
}

void sleep_until(std::int64_t due_ns) {
  const timespec due{due_ns / kSecond_ns, due_ns % kSecond_ns};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr) != 0) {
  }
}

GstFlowReturn fill(GstPushSrc* push, GstBuffer* buffer) {
  BenchSrc* self = self_of(push);
  GstMapInfo map{};
  if (gst_buffer_map(buffer, &map, GST_MAP_WRITE) == FALSE) return GST_FLOW_ERROR;
  std::memset(map.data, static_cast<int>(self->count), map.size);
  if (self->count == 0) {
    constexpr std::int64_t kLook_ns = 1'000'000;
    while (!flowing.load(std::memory_order_acquire)) sleep_until(reel::monotonic_ns() + kLook_ns);
    self->due_ns = reel::monotonic_ns();
  }
  if (self->paced != FALSE) sleep_until(self->due_ns += kFrame_ns);
  GST_BUFFER_PTS(buffer) = self->count++ * static_cast<GstClockTime>(kFrame_ns);
  GST_BUFFER_DURATION(buffer) = static_cast<GstClockTime>(kFrame_ns);
  const std::int64_t now_ns = reel::monotonic_ns();
  std::memcpy(map.data, &now_ns, sizeof now_ns);
  gst_buffer_unmap(buffer, &map);
  return GST_FLOW_OK;
}

}  // namespace

static void bench_src_class_init(BenchSrcClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  constexpr auto kFlags = static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  object_class->set_property = set_property;
  g_object_class_install_property(object_class, kWidth,
                                  g_param_spec_uint("width", "", "", 1, 32768, 1920, kFlags));
  g_object_class_install_property(object_class, kHeight,
                                  g_param_spec_uint("height", "", "", 1, 32768, 1080, kFlags));
  g_object_class_install_property(object_class, kPaced, g_param_spec_boolean("paced", "", "", FALSE, kFlags));
  gst_element_class_set_static_metadata(element_class, "Frames to measure with", "Source",
                                        "memset and a stamp", "Reel");
  gst_element_class_add_static_pad_template(element_class, &source_template);
  GST_BASE_SRC_CLASS(klass)->start = start;
  GST_BASE_SRC_CLASS(klass)->get_caps = get_caps;
  GST_PUSH_SRC_CLASS(klass)->fill = fill;
}

static void bench_src_init(BenchSrc* self) {
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}

void reel_gst_bench::register_source() {
  gst_element_register(nullptr, "benchsrc", GST_RANK_NONE, bench_src_get_type());
}

void reel_gst_bench::let_frames_flow() {
  flowing.store(true, std::memory_order_release);
}
