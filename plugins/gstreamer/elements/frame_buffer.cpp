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

// The library's own system memory with a life of its own: mapping it for writing fails, sharing a part works.
GstMemory* wrap(Frame&& frame, std::size_t bytes, const std::shared_ptr<HeldSlots>& slots) {
  const auto payload = frame.data();
  auto* start =
      const_cast<std::byte*>(payload.data());  // GStreamer has no pointer to const; READONLY says it
  return gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, start, payload.size(), 0, bytes,
                                HeldSlots::hold(slots, std::move(frame)), HeldSlots::let_go);
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

GstMemory* repack(const Frame& frame, const GstVideoInfo& picture) {
  return filled(picture.size, [&](std::byte* to) {
    for (std::uint32_t index = 0; index < frame.plane_count(); ++index) {
      const ConstPlaneView from = frame.plane(index);
      std::byte* row_to = to + picture.offset[index];
      for (std::uint32_t row = 0; row < from.rows; ++row, row_to += picture.stride[index])
        std::memcpy(row_to, from.data + std::size_t{row} * from.stride_bytes, from.row_bytes);
    }
  });
}

// Whoever knows the caps alone finds every plane, and as many bytes as it expects.
bool lies_by_the_caps(const Frame& frame, const GstVideoInfo& picture) {
  if (frame.plane_count() != GST_VIDEO_INFO_N_PLANES(&picture) || frame.data().size() < picture.size)
    return false;
  for (std::uint32_t index = 0; index < frame.plane_count(); ++index) {
    const Plane& plane = frame.layout().planes[index];
    if (plane.offset_bytes != picture.offset[index] ||
        std::cmp_not_equal(plane.stride_bytes, picture.stride[index]))
      return false;
  }
  return true;
}

VideoLayout layout_by(const GstVideoInfo& picture, VideoLayout layout) {
  for (std::uint32_t index = 0; index < layout.plane_count; ++index) {
    layout.planes[index].offset_bytes = picture.offset[index];
    layout.planes[index].stride_bytes = static_cast<std::uint32_t>(picture.stride[index]);
  }
  return layout;
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
  const bool by_the_caps = video != nullptr && lies_by_the_caps(frame, *rules.picture);
  if (frame.data().empty()) {
    // no memory at all
  } else if (video != nullptr && !by_the_caps && !rules.any_layout) {
    attach_layout(buffer, *video, layout_by(*rules.picture, frame.layout()), info.flags);
    gst_buffer_append_memory(buffer, repack(frame, *rules.picture));
    made.how = Carried::repacked;
  } else {
    // One that says what the caps say would be allocated, filled and freed with each frame.
    if (video != nullptr && (!by_the_caps || has_picture_flags(info.flags)))
      attach_layout(buffer, *video, frame.layout(), info.flags);
    const std::size_t all = frame.data().size();
    // A picture that lies as the caps alone say is as many bytes as they say.
    const std::size_t bytes = by_the_caps ? rules.picture->size : all;
    if (slots->held() < rules.most_held) {
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
