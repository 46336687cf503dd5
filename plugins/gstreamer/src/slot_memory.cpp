#include "slot_memory.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

#include "module_type.hpp"

namespace reel::gst {
namespace {

struct SlotMemory {
  GstMemory memory;
  std::shared_ptr<Slot> slot;
};

struct SlotAllocator {
  GstAllocator parent;
  std::shared_ptr<StreamSlots> slots;  // none: only for memory that was wrapped
};
struct SlotAllocatorClass {
  GstAllocatorClass parent_class;
};

GObjectClass* parent_class = nullptr;

SlotMemory* ours(GstMemory* memory) {
  return reinterpret_cast<SlotMemory*>(memory);
}

GstMemory* new_memory(GstAllocator* allocator, GstMemory* parent, std::shared_ptr<Slot> slot, gsize maxsize,
                      gsize offset, gsize size, guint flags) {
  auto* made = new SlotMemory{{}, std::move(slot)};
  gst_memory_init(GST_MEMORY_CAST(made), static_cast<GstMemoryFlags>(flags), allocator, parent, maxsize, 0,
                  offset, size);
  return GST_MEMORY_CAST(made);
}

gpointer map(GstMemory* memory, gsize /*maxsize*/, GstMapFlags flags) {
  const Slot& slot = *ours(memory)->slot;
  if ((flags & GST_MAP_WRITE) != 0 && slot.published.load(std::memory_order_acquire)) return nullptr;
  return slot.bytes;
}

void unmap(GstMemory* /*memory*/) {}

// As the library's own memory does: parts are read-only, and keep the whole.
GstMemory* share(GstMemory* memory, gssize offset, gssize size) {
  GstMemory* const whole = memory->parent != nullptr ? memory->parent : memory;
  const gsize rest =
      memory->size - std::min<gsize>(memory->size, static_cast<gsize>(std::max<gssize>(offset, 0)));
  const gsize wanted = size < 0 ? rest : static_cast<gsize>(size);
  const guint flags = GST_MINI_OBJECT_FLAGS(whole) | GST_MINI_OBJECT_FLAG_LOCK_READONLY;
  return new_memory(memory->allocator, whole, ours(memory)->slot, memory->maxsize,
                    static_cast<gsize>(static_cast<gssize>(memory->offset) + offset), wanted, flags);
}

// Mapped for writing by whoever fills it.
bool is_being_filled(GstMemory* memory) {
  return (g_atomic_int_get(&memory->mini_object.lockstate) & GST_LOCK_FLAG_WRITE) != 0 &&
         !ours(memory)->slot->published.load(std::memory_order_acquire);
}

// On the heap: a copy is somebody's own, and no slot is spent on it. Except that avdec hands pictures on that
// it still has mapped for writing, since libav may refer to them (it does not write them any more): GStreamer
// cannot share such memory between two buffers and copies every picture. The same bytes for reading are as
// good.
GstMemory* copy(GstMemory* memory, gssize offset, gssize size) {
  if (offset == 0 && size == -1 && is_being_filled(memory))
    return new_memory(memory->allocator, nullptr, ours(memory)->slot, memory->maxsize, memory->offset,
                      memory->size, GST_MINI_OBJECT_FLAG_LOCK_READONLY);
  const gsize wanted = size < 0 ? memory->size - static_cast<gsize>(offset) : static_cast<gsize>(size);
  GstMemory* const made = gst_allocator_alloc(nullptr, wanted, nullptr);
  GstMapInfo to{};
  if (gst_memory_map(made, &to, GST_MAP_WRITE) == FALSE) {
    gst_memory_unref(made);
    return nullptr;
  }
  std::memcpy(to.data, ours(memory)->slot->bytes + memory->offset + offset, wanted);
  gst_memory_unmap(made, &to);
  return made;
}

gboolean is_span(GstMemory* first, GstMemory* second, gsize* offset) {
  if (offset != nullptr) *offset = first->offset - (first->parent != nullptr ? first->parent->offset : 0);
  return static_cast<gboolean>(ours(first)->slot == ours(second)->slot &&
                               first->offset + first->size == second->offset);
}

GstMemory* alloc(GstAllocator* allocator, gsize size, GstAllocationParams* params) {
  const auto& slots = reinterpret_cast<SlotAllocator*>(allocator)->slots;
  const gsize whole = params->prefix + size + params->padding;
  GstMemory* const memory = slots ? slots->lend(whole, [] { return false; }) : nullptr;
  if (memory != nullptr) {
    std::byte* const bytes = ours(memory)->slot->bytes;
    if ((params->flags & GST_MEMORY_FLAG_ZERO_PREFIXED) != 0) std::memset(bytes, 0, params->prefix);
    if ((params->flags & GST_MEMORY_FLAG_ZERO_PADDED) != 0)
      std::memset(bytes + params->prefix + size, 0, params->padding);
    gst_memory_resize(memory, static_cast<gssize>(params->prefix), size);
    return memory;
  }
  return gst_allocator_alloc(nullptr, size, params);
}

void free_memory(GstAllocator* /*allocator*/, GstMemory* memory) {
  delete ours(memory);
}

void finalize(GObject* object) {
  auto* allocator = reinterpret_cast<SlotAllocator*>(object);
  allocator->slots.~shared_ptr();
  parent_class->finalize(object);
}

void class_init(gpointer klass, gpointer /*data*/) {
  parent_class = static_cast<GObjectClass*>(g_type_class_peek_parent(klass));
  G_OBJECT_CLASS(klass)->finalize = finalize;
  GST_ALLOCATOR_CLASS(klass)->alloc = alloc;
  GST_ALLOCATOR_CLASS(klass)->free = free_memory;
}

void init(GTypeInstance* instance, gpointer /*klass*/) {
  auto* allocator = reinterpret_cast<SlotAllocator*>(instance);
  new (&allocator->slots) std::shared_ptr<StreamSlots>();
  GstAllocator* const base = &allocator->parent;
  base->mem_type = "ReelSlot";
  base->mem_map = map;
  base->mem_unmap = unmap;
  base->mem_share = share;
  base->mem_copy = copy;
  base->mem_is_span = is_span;
}

GType allocator_type() {
  static const GType type = g_type_register_static_simple(
      GST_TYPE_ALLOCATOR, module_type_name("ReelSlotAllocator").c_str(), sizeof(SlotAllocatorClass),
      class_init, sizeof(SlotAllocator), init, static_cast<GTypeFlags>(0));
  return type;
}

GstAllocator* new_allocator() {
  return static_cast<GstAllocator*>(gst_object_ref_sink(g_object_new(allocator_type(), nullptr)));
}

}  // namespace

Slot::~Slot() {
  slots->take_back(loan);
}

GstMemory* wrap_slot(std::shared_ptr<Slot> slot) {
  static GstAllocator* const allocator = [] {
    GstAllocator* made = new_allocator();
    GST_OBJECT_FLAG_SET(made, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
    GST_OBJECT_FLAG_SET(made, GST_OBJECT_FLAG_MAY_BE_LEAKED);
    return made;
  }();
  const gsize capacity = slot->loan.capacity();
  const gsize size = slot->loan.size();
  return new_memory(allocator, nullptr, std::move(slot), capacity, 0, size, 0);
}

Slot* slot_of(GstMemory* memory) noexcept {
  return G_TYPE_CHECK_INSTANCE_TYPE(memory->allocator, allocator_type()) ? ours(memory)->slot.get() : nullptr;
}

GstAllocator* make_slot_allocator(std::shared_ptr<StreamSlots> slots) {
  GstAllocator* const made = new_allocator();
  reinterpret_cast<SlotAllocator*>(made)->slots = std::move(slots);
  return made;
}

}  // namespace reel::gst
