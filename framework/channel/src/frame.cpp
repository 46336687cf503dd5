#include <reel/channel/frame.hpp>

#include "reader_epoch.hpp"

namespace reel {

template <>
void HeldSlot<ReaderEpoch>::release() noexcept {
  if (!epoch_) return;
  epoch_->release(slot_);
  epoch_.reset();
}

ConstPlaneView Frame::plane(std::uint32_t index) const noexcept {
  if (index >= layout_.plane_count) return {};
  const Plane& plane = layout_.planes[index];
  return {payload_.data() + plane.offset_bytes, plane.stride_bytes, plane.row_bytes, plane.rows};
}

}  // namespace reel
