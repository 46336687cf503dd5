#include <reel/base/checksum.hpp>
#include <reel/channel/frame_writer.hpp>

#include "writer_epoch.hpp"

namespace reel {

template <>
void HeldSlot<WriterEpoch>::release() noexcept {
  if (!epoch_) return;
  epoch_->give_back(slot_);
  epoch_.reset();
}

bool Loan::set_size(std::size_t bytes) noexcept {
  if (bytes > capacity_) return false;
  hashed_ = hashed_ && bytes == size_;
  size_ = bytes;
  return true;
}

PlaneView Loan::plane(std::uint32_t index) noexcept {
  if (!held_ || payload_ == nullptr || index >= layout_.plane_count) return {};
  hashed_ = false;  // whoever asks for it may write
  const Plane& plane = layout_.planes[index];
  return {payload_ + plane.offset_bytes, plane.stride_bytes, plane.row_bytes, plane.rows};
}

bool Loan::set_layout(const VideoLayout& layout) noexcept {
  if (layout.bytes > capacity_) return false;
  default_layout_ = default_layout_ && layout == layout_;
  layout_ = layout;
  return set_size(layout.bytes);
}

void Loan::hand_over(bool keep) noexcept {
  payload_ = nullptr;
  size_ = 0;
  capacity_ = 0;
  if (!keep) held_.release();
}

void Loan::seal() noexcept {
  if (!held_ || hashed_) return;
  const auto mode = static_cast<ChecksumMode>(held_.epoch()->view().geometry.checksum_mode);
  payload_checksum_ = checksum({payload_, size_}, mode);
  hashed_ = true;
}

bool Loan::copy_from(std::span<const std::byte> payload) noexcept {
  if (payload.size() > capacity_) return false;
  size_ = payload.size();
  const auto mode = static_cast<ChecksumMode>(held_.epoch()->view().geometry.checksum_mode);
  payload_checksum_ = copy_and_checksum(payload_, payload, mode);
  hashed_ = true;
  copied_ = true;
  return true;
}

}  // namespace reel
