#include "frame_buffer.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include <reel/base/error.hpp>

#include <reel/gst/frame_info.hpp>
#include <reel/gst/video_layout.hpp>

#include "side_data.hpp"

namespace reel::gst {
namespace {

// What a wrapped memory keeps alive.
struct HeldFrame {
  HeldFrame(Frame&& taken, std::shared_ptr<HeldSlots> counts)
      : frame(std::move(taken)), slots(std::move(counts)) {
    slots->held.fetch_add(1, std::memory_order_relaxed);
  }
  HeldFrame(const HeldFrame&) = delete;
  HeldFrame& operator=(const HeldFrame&) = delete;
  ~HeldFrame() {
    frame.release();
    // SYNC slots.held: release, pairs with the acquire in buffer_from: the pin is gone before it counts so.
    slots->held.fetch_sub(1, std::memory_order_release);
  }
  Frame frame;
  std::shared_ptr<HeldSlots> slots;
};

void let_go(gpointer held) {
  delete static_cast<HeldFrame*>(held);
}

// The library's own system memory with a life of its own: mapping it for writing fails, sharing a part works.
GstMemory* wrap(Frame&& frame, std::size_t bytes, const std::shared_ptr<HeldSlots>& slots) {
  const auto payload = frame.data();
  auto held = std::make_unique<HeldFrame>(std::move(frame), slots);
  auto* start =
      const_cast<std::byte*>(payload.data());  // GStreamer has no pointer to const; READONLY says it
  return gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, start, payload.size(), 0, bytes, held.release(),
                                let_go);
}

template <typename Fill>
GstMemory* filled(std::size_t bytes, Fill&& fill) {
  GstMemory* memory = gst_allocator_alloc(nullptr, bytes, nullptr);
  GstMapInfo map{};
  if (memory == nullptr || gst_memory_map(memory, &map, GST_MAP_WRITE) == FALSE)
    throw Error(ErrorCode::no_memory, "there is no memory for a copy of " + std::to_string(bytes) + " bytes");
  fill(reinterpret_cast<std::byte*>(map.data));
  gst_memory_unmap(memory, &map);
  return memory;
}

GstMemory* copy(const Frame& frame, std::size_t bytes) {
  return filled(bytes, [&](std::byte* to) { std::memcpy(to, frame.data().data(), bytes); });
}

GstMemory* repack(const Frame& frame, const VideoLayout& layout) {
  return filled(layout.bytes, [&](std::byte* to) {
    for (std::uint32_t index = 0; index < layout.plane_count; ++index) {
      const ConstPlaneView from = frame.plane(index);
      std::byte* row_to = to + layout.planes[index].offset_bytes;
      for (std::uint32_t row = 0; row < from.rows; ++row, row_to += layout.planes[index].stride_bytes)
        std::memcpy(row_to, from.data + std::size_t{row} * from.stride_bytes, from.row_bytes);
    }
  });
}

bool same_places(const VideoLayout& a, const VideoLayout& b) {
  if (a.plane_count != b.plane_count) return false;
  for (std::uint32_t index = 0; index < a.plane_count; ++index) {
    if (a.planes[index].offset_bytes != b.planes[index].offset_bytes ||
        a.planes[index].stride_bytes != b.planes[index].stride_bytes)
      return false;
  }
  return true;
}

}  // namespace

MadeBuffer buffer_from(Frame&& frame, const FrameInfo& info, const std::shared_ptr<HeldSlots>& slots,
                       const BufferRules& rules) {
  MadeBuffer made{Ptr<GstBuffer>(gst_buffer_new()), Carried::wrapped};
  GstBuffer* buffer = made.buffer.get();
  set_frame_info(buffer, info);
  if (GST_BUFFER_OFFSET(buffer) == GST_BUFFER_OFFSET_NONE) GST_BUFFER_OFFSET(buffer) = frame.sequence();
  // Format and side data live as long as the slot is held, by the frame or by the buffer's memory.
  const Format& format = frame.format();
  const std::int64_t capture_ns = frame.info().capture_ns;
  const SideDataView side_data = frame.side_data();

  const VideoFormat* video = frame.plane_count() != 0 ? frame.format().video() : nullptr;
  const VideoLayout layout = video != nullptr ? default_layout(*video) : VideoLayout{};
  const bool by_the_caps = video != nullptr && same_places(frame.layout(), layout);
  if (frame.data().empty()) {
    // no memory at all
  } else if (video != nullptr && !by_the_caps && !rules.any_layout) {
    attach_layout(buffer, *video, layout, info.flags);
    gst_buffer_append_memory(buffer, repack(frame, layout));
    made.how = Carried::repacked;
  } else {
    if (video != nullptr) attach_layout(buffer, *video, frame.layout(), info.flags);
    const std::size_t all = frame.data().size();
    // A picture that lies as the caps alone say is as many bytes as they say.
    const std::size_t bytes = by_the_caps ? std::min<std::size_t>(all, layout.bytes) : all;
    if (slots->held.load(std::memory_order_acquire) < rules.most_held) {
      gst_buffer_append_memory(buffer, wrap(std::move(frame), bytes, slots));
    } else {
      gst_buffer_append_memory(buffer, copy(frame, bytes));
      made.how = Carried::copied;
    }
  }
  attach_side_data(buffer, format, capture_ns, side_data);
  frame.release();
  return made;
}

}  // namespace reel::gst
