#include <atomic>
#include <exception>
#include <algorithm>
#include <new>
#include <utility>

#include <gst/audio/audio.h>
#include <gst/video/gstvideopool.h>
#include <gst/video/video.h>

#include <reel/gst/caps.hpp>
#include <reel/gst/slot_pool.hpp>

#include "module_type.hpp"
#include "slot_memory.hpp"

namespace reel::gst {
namespace {

struct SlotPool {
  GstBufferPool parent;
  std::shared_ptr<StreamSlots> slots;
  std::atomic<bool> flushing;
  GstVideoInfo info;  // padded as configured
  GstVideoAlignment alignment;
  bool has_meta;
  gsize bytes;
  GstAllocationParams params;
};
struct SlotPoolClass {
  GstBufferPoolClass parent_class;
};

GstBufferPoolClass* parent_class = nullptr;

SlotPool* ours(GstBufferPool* pool) {
  return reinterpret_cast<SlotPool*>(pool);
}

const gchar** options(GstBufferPool* /*pool*/) {
  static const gchar* all[] = {GST_BUFFER_POOL_OPTION_VIDEO_META, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT,
                               nullptr};
  return all;
}

// Padding goes into the strides and offsets that the meta tells of, so it needs the meta.
bool pad(SlotPool& pool, GstStructure* config) {
  gst_video_alignment_reset(&pool.alignment);
  pool.has_meta = gst_buffer_pool_config_has_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META) != FALSE;
  if (!pool.has_meta ||
      gst_buffer_pool_config_has_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT) == FALSE)
    return true;
  gst_buffer_pool_config_get_video_alignment(config, &pool.alignment);
  if (gst_video_info_align(&pool.info, &pool.alignment) == FALSE) return false;
  gst_buffer_pool_config_set_video_alignment(config, &pool.alignment);
  return true;
}

gboolean set_config(GstBufferPool* base, GstStructure* config) {
  SlotPool& pool = *ours(base);
  GstCaps* caps = nullptr;
  guint bytes = 0, least = 0, most = 0;
  if (gst_buffer_pool_config_get_params(config, &caps, &bytes, &least, &most) == FALSE || caps == nullptr ||
      gst_video_info_from_caps(&pool.info, caps) == FALSE) {
    GST_WARNING_OBJECT(base, "a pool of slots is for raw video with fixed caps: %" GST_PTR_FORMAT,
                       static_cast<void*>(caps));
    return FALSE;
  }
  GstAllocator* ignored = nullptr;  // slots come from nowhere else
  gst_buffer_pool_config_get_allocator(config, &ignored, &pool.params);
  if (!pad(pool, config)) return FALSE;
  pool.bytes = std::max<gsize>(bytes, pool.info.size);
  gst_buffer_pool_config_set_params(config, caps, static_cast<guint>(pool.bytes), least, most);
  pool.slots->reserve(pool.params.prefix + pool.bytes + pool.params.padding, least);
  return parent_class->set_config(base, config);
}

// Slots are taken as they are asked for: one that lay in a queue would be missing from the ring.
gboolean start(GstBufferPool* /*base*/) {
  return TRUE;
}

GstBuffer* on_heap(SlotPool& pool) {
  return gst_buffer_new_allocate(nullptr, pool.bytes, &pool.params);
}

void add_meta(SlotPool& pool, GstBuffer* buffer) {
  GstVideoInfo& info = pool.info;
  GstVideoMeta* const meta = gst_buffer_add_video_meta_full(
      buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&info),
      static_cast<guint>(GST_VIDEO_INFO_WIDTH(&info)), static_cast<guint>(GST_VIDEO_INFO_HEIGHT(&info)),
      GST_VIDEO_INFO_N_PLANES(&info), info.offset, info.stride);
  gst_video_meta_set_alignment(meta, pool.alignment);
  meta->meta.flags = static_cast<GstMetaFlags>(meta->meta.flags | GST_META_FLAG_POOLED);
}

// Where the stream is flushing or closed a heap buffer goes as far as the pad that says so: the elements
// before may have another branch to go on with.
GstFlowReturn acquire(GstBufferPool* base, GstBuffer** buffer, GstBufferPoolAcquireParams* params) {
  SlotPool& pool = *ours(base);
  const auto stopped = [&] { return pool.flushing.load(std::memory_order_acquire); };
  if (stopped()) return GST_FLOW_FLUSHING;
  const bool waits = params == nullptr || (params->flags & GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT) == 0;
  const gsize whole = pool.params.prefix + pool.bytes + pool.params.padding;
  if (GstMemory* memory = pool.slots->lend(whole, waits ? StreamSlots::Stop(stopped) : nullptr)) {
    gst_memory_resize(memory, static_cast<gssize>(pool.params.prefix), pool.bytes);
    *buffer = gst_buffer_new();
    gst_buffer_append_memory(*buffer, memory);
  } else if (stopped()) {
    return GST_FLOW_FLUSHING;
  } else if (!waits) {
    return GST_FLOW_EOS;
  } else if (*buffer = on_heap(pool); *buffer == nullptr) {
    return GST_FLOW_ERROR;
  }
  if (pool.has_meta) add_meta(pool, *buffer);
  return GST_FLOW_OK;
}

// The buffer's slot goes back to the ring; the pool keeps nothing.
void release(GstBufferPool* /*base*/, GstBuffer* buffer) {
  gst_buffer_unref(buffer);
}

void flush_start(GstBufferPool* base) {
  ours(base)->flushing.store(true, std::memory_order_release);
  ours(base)->slots->wake();
}

void flush_stop(GstBufferPool* base) {
  ours(base)->flushing.store(false, std::memory_order_release);
}

void finalize(GObject* object) {
  auto* pool = reinterpret_cast<SlotPool*>(object);
  pool->slots.~shared_ptr();
  G_OBJECT_CLASS(parent_class)->finalize(object);
}

void class_init(gpointer klass, gpointer /*data*/) {
  parent_class = static_cast<GstBufferPoolClass*>(g_type_class_peek_parent(klass));
  G_OBJECT_CLASS(klass)->finalize = finalize;
  GstBufferPoolClass* const vtable = GST_BUFFER_POOL_CLASS(klass);
  vtable->get_options = options;
  vtable->set_config = set_config;
  vtable->start = start;
  vtable->acquire_buffer = acquire;
  vtable->release_buffer = release;
  vtable->flush_start = flush_start;
  vtable->flush_stop = flush_stop;
}

void init(GTypeInstance* instance, gpointer /*klass*/) {
  auto* pool = reinterpret_cast<SlotPool*>(instance);
  new (&pool->slots) std::shared_ptr<StreamSlots>();
  new (&pool->flushing) std::atomic<bool>(false);
  gst_allocation_params_init(&pool->params);
}

GType pool_type() {
  static const GType type = g_type_register_static_simple(
      GST_TYPE_BUFFER_POOL, module_type_name("ReelSlotPool").c_str(), sizeof(SlotPoolClass), class_init,
      sizeof(SlotPool), init, static_cast<GTypeFlags>(0));
  return type;
}

}  // namespace

Ptr<GstBufferPool> make_slot_pool(std::shared_ptr<StreamSlots> slots) {
  auto* pool = static_cast<GstBufferPool*>(gst_object_ref_sink(g_object_new(pool_type(), nullptr)));
  ours(pool)->slots = std::move(slots);
  return Ptr<GstBufferPool>(pool);
}

bool propose_slots(GstQuery* query, const std::shared_ptr<StreamSlots>& slots) {
  GstCaps* caps = nullptr;
  gboolean need_pool = FALSE;
  gst_query_parse_allocation(query, &caps, &need_pool);
  if (caps == nullptr || gst_caps_is_fixed(caps) == FALSE) return false;
  GstVideoInfo info;
  const bool video = gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw") != FALSE &&
                     gst_video_info_from_caps(&info, caps) != FALSE;
  if (video) {
    const Ptr<GstBufferPool> pool = need_pool != FALSE ? make_slot_pool(slots) : nullptr;
    gst_query_add_allocation_pool(query, pool.get(), static_cast<guint>(info.size), 0, 0);
  } else {
    GstAllocator* allocator = make_slot_allocator(slots);
    gst_query_add_allocation_param(query, allocator, nullptr);
    gst_object_unref(allocator);
  }
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  gst_query_add_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, nullptr);
  gst_query_add_allocation_meta(query, GST_AUDIO_META_API_TYPE, nullptr);
  return true;
}

namespace {

void name_first_format(GstQuery* query, StreamSlots& slots) {
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  if (caps == nullptr) return;
  try {
    slots.set_first_format(format_from_caps(caps));
  } catch (const std::exception&) {
    return;  // whoever publishes will say so
  }
}

GstPadProbeReturn answer_allocation(GstPad* /*pad*/, GstPadProbeInfo* probe, gpointer data) {
  GstQuery* const query = GST_PAD_PROBE_INFO_QUERY(probe);
  const bool asked = (GST_PAD_PROBE_INFO_TYPE(probe) & GST_PAD_PROBE_TYPE_PUSH) != 0;
  if (!asked || GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) return GST_PAD_PROBE_OK;
  const auto& slots = *static_cast<std::shared_ptr<StreamSlots>*>(data);
  name_first_format(query, *slots);
  return propose_slots(query, slots) ? GST_PAD_PROBE_HANDLED : GST_PAD_PROBE_OK;
}

}  // namespace

void offer_slots(GstPad* sink_pad, std::shared_ptr<StreamSlots> slots) {
  gst_pad_add_probe(sink_pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, answer_allocation,
                    new std::shared_ptr<StreamSlots>(std::move(slots)),
                    [](gpointer data) { delete static_cast<std::shared_ptr<StreamSlots>*>(data); });
}

}  // namespace reel::gst
