#include <reel/channel/frame.hpp>

#include "reader_epoch.hpp"

namespace reel {

Frame::Frame(Frame&& other) noexcept {
  *this = std::move(other);
}

Frame& Frame::operator=(Frame&& other) noexcept {
  if (this == &other) return *this;
  release();
  epoch_ = std::move(other.epoch_);
  slot_ = other.slot_;
  verified_ = other.verified_;
  sequence_ = other.sequence_;
  missed_before_ = other.missed_before_;
  publish_ns_ = other.publish_ns_;
  info_ = other.info_;
  payload_ = other.payload_;
  format_ = other.format_;
  segment_ = other.segment_;
  tags_ = other.tags_;
  layout_ = other.layout_;
  side_data_ = other.side_data_;
  other.epoch_.reset();
  return *this;
}

ConstPlaneView Frame::plane(std::uint32_t index) const noexcept {
  if (index >= layout_.plane_count) return {};
  const Plane& plane = layout_.planes[index];
  return {payload_.data() + plane.offset_bytes, plane.stride_bytes, plane.row_bytes, plane.rows};
}

void Frame::release() noexcept {
  if (!epoch_) return;
  epoch_->release(slot_);
  epoch_.reset();
}

}  // namespace reel
