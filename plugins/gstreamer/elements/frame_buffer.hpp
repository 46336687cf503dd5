// A frame of a stream as a GstBuffer: its slot wrapped as read-only memory and held until the last reference
// is gone, or copied when this reader's quota of held slots is used up. Buffers may be released in any
// thread, after the element stopped, after the writer died.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <gst/gst.h>

#include <reel/channel/frame.hpp>
#include <reel/gst/pointers.hpp>

namespace reel::gst {

/// Slots that buffers hold now, and what was copied because there were too many. Shared with the buffers.
struct HeldSlots {
  std::atomic<std::uint32_t> held{0};
  std::atomic<std::uint64_t> copied{0};
};

/// `frame` is empty afterwards. Copies when `most_held` slots are held already. The buffer has the times and
/// flags of `info`, the frame's plane layout and side data, and its sequence as GST_BUFFER_OFFSET.
[[nodiscard]] Ptr<GstBuffer> buffer_from(Frame&& frame, const FrameInfo& info,
                                         const std::shared_ptr<HeldSlots>& slots, std::uint32_t most_held);

}  // namespace reel::gst
