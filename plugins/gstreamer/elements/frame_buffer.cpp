#include "frame_buffer.hpp"

#include <utility>

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
    slots->held.fetch_sub(1, std::memory_order_release);
  }
  Frame frame;
  std::shared_ptr<HeldSlots> slots;
};

void let_go(gpointer held) {
  delete static_cast<HeldFrame*>(held);
}

// The library's own system memory with a life of its own: mapping it for writing fails, sharing a part works.
GstMemory* wrap(Frame&& frame, const std::shared_ptr<HeldSlots>& slots) {
  const auto payload = frame.data();
  auto held = std::make_unique<HeldFrame>(std::move(frame), slots);
  auto* bytes =
      const_cast<std::byte*>(payload.data());  // GStreamer has no pointer to const; READONLY says it
  return gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, bytes, payload.size(), 0, payload.size(),
                                held.release(), let_go);
}

}  // namespace

Ptr<GstBuffer> buffer_from(Frame&& frame, const FrameInfo& info, const std::shared_ptr<HeldSlots>& slots,
                           std::uint32_t most_held) {
  Ptr<GstBuffer> buffer(gst_buffer_new());
  set_frame_info(buffer.get(), info);
  const Format& format = frame.format();
  if (info.offset == ~std::uint64_t{0}) GST_BUFFER_OFFSET(buffer.get()) = frame.sequence();
  if (const VideoFormat* video = format.video(); video != nullptr && frame.plane_count() != 0)
    attach_layout(buffer.get(), *video, frame.layout(), info.flags);

  // Format and side data live as long as the slot is held, by the frame or by the buffer's memory.
  const std::int64_t capture_ns = frame.info().capture_ns;
  const SideDataView side_data = frame.side_data();
  const auto payload = frame.data();
  const bool hold = !payload.empty() && slots->held.load(std::memory_order_acquire) < most_held;
  if (hold) {
    gst_buffer_append_memory(buffer.get(), wrap(std::move(frame), slots));
  } else if (!payload.empty()) {
    GstMemory* memory = gst_allocator_alloc(nullptr, payload.size(), nullptr);
    gst_buffer_append_memory(buffer.get(), memory);
    gst_buffer_fill(buffer.get(), 0, payload.data(), payload.size());
    slots->copied.fetch_add(1, std::memory_order_relaxed);
  }
  attach_side_data(buffer.get(), format, capture_ns, side_data);
  frame.release();
  return buffer;
}

}  // namespace reel::gst
