// A GstBufferPool whose buffers are slots of a stream, for raw video. Offered upstream in answer to an
// allocation query; thread-safe as every pool is. A buffer is a slot only until it comes back: the next one
// is another slot.
#pragma once

#include <memory>

#include <gst/gst.h>

#include <reel/gst/pointers.hpp>
#include <reel/gst/stream_slots.hpp>

namespace reel::gst {

/// Not configured. Takes the options GST_BUFFER_POOL_OPTION_VIDEO_META and _VIDEO_ALIGNMENT; the ring is
/// sized when it is configured, since padded pictures are larger than their caps say. Acquiring waits while
/// readers hold the slots, whatever state the writing element is in, until the pool is set flushing. Where
/// the stream refuses or is closed its buffers are from the heap.
[[nodiscard]] Ptr<GstBufferPool> make_slot_pool(std::shared_ptr<StreamSlots> slots);

/// Answers an allocation query: with a pool for raw video (which it says needs no maximum), with an allocator
/// for everything else, and with the metas that a stream carries. False for caps that are not fixed.
bool propose_slots(GstQuery* query, const std::shared_ptr<StreamSlots>& slots);

/// Answers every allocation query that reaches `sink_pad`, for the pad's life: for an element of somebody
/// else's (an appsink) whose buffers are published by hand. The first caps that it is asked for are the first
/// format.
void offer_slots(GstPad* sink_pad, std::shared_ptr<StreamSlots> slots);

}  // namespace reel::gst
