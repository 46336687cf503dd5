// A frame of a stream as a GstBuffer: its slot wrapped as read-only memory and held until the last reference
// is gone, or copied when this reader's quota of held slots is used up. Buffers may be released in any
// thread, after the element stopped, after the writer died.
#pragma once

#include <cstdint>
#include <memory>

#include <gst/gst.h>
#include <gst/video/video.h>

#include <reel/channel/frame.hpp>
#include <reel/gst/pointers.hpp>

#include "held_slots.hpp"

namespace reel::gst {

/// How a frame's bytes went into its buffer.
enum class Carried {
  wrapped,  // the slot itself; or there are none
  copied,   // the quota of held slots was used up
  repacked  // downstream knows no strides but GStreamer's default
};

struct MadeBuffer {
  Ptr<GstBuffer> buffer;
  Carried how = Carried::wrapped;
};

struct BufferRules {
  std::uint32_t most_held = 0;            // slots of `slots` beyond which frames are copied
  bool any_layout = true;                 // downstream reads GstVideoMeta
  const GstVideoInfo* picture = nullptr;  // of the caps; needed for frames with planes
};

/// `frame` is empty afterwards. The buffer has the times and flags of `info`, the frame's side data, a
/// GstVideoMeta where its planes lie other than the caps say or flags want one, and as its offset that of the
/// sender's buffer or else the frame's sequence.
[[nodiscard]] MadeBuffer buffer_from(Frame&& frame, const FrameInfo& info,
                                     const std::shared_ptr<HeldSlots>& slots, const BufferRules& rules);

}  // namespace reel::gst
