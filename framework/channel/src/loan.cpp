#include <reel/base/checksum.hpp>
#include <reel/channel/frame_writer.hpp>

#include "writer_epoch.hpp"

namespace reel {

Loan::Loan(Loan&& other) noexcept {
  *this = std::move(other);
}

Loan& Loan::operator=(Loan&& other) noexcept {
  if (this == &other) return *this;
  cancel();
  epoch_ = std::move(other.epoch_);
  payload_ = other.payload_;
  size_ = other.size_;
  capacity_ = other.capacity_;
  slot_ = other.slot_;
  format_id_ = other.format_id_;
  hashed_ = other.hashed_;
  default_layout_ = other.default_layout_;
  payload_checksum_ = other.payload_checksum_;
  format_ = other.format_;
  layout_ = other.layout_;
  side_data_ = other.side_data_;
  other.epoch_.reset();
  return *this;
}

bool Loan::set_size(std::size_t bytes) noexcept {
  if (bytes > capacity_) return false;
  hashed_ = hashed_ && bytes == size_;
  size_ = bytes;
  return true;
}

PlaneView Loan::plane(std::uint32_t index) noexcept {
  if (index >= layout_.plane_count) return {};
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

bool Loan::copy_from(std::span<const std::byte> payload) noexcept {
  if (payload.size() > capacity_) return false;
  size_ = payload.size();
  const auto mode = static_cast<ChecksumMode>(epoch_->view().geometry.checksum_mode);
  payload_checksum_ = copy_and_checksum(payload_, payload, mode);
  hashed_ = true;
  return true;
}

void Loan::cancel() noexcept {
  if (!epoch_) return;
  epoch_->ring().cancel(slot_);
  epoch_.reset();
}

}  // namespace reel
