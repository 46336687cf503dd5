// The bytes of a GstBuffer, mapped for reading for the life of this. Single-thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <gst/gst.h>

#include <reel/base/error.hpp>

namespace reel::gst {

class ReadMap {
 public:
  /// `buffer` must live as long. Throws Error{io} where its memory is not the processor's.
  explicit ReadMap(GstBuffer* buffer) : buffer_(buffer) {
    if (gst_buffer_map(buffer, &map_, GST_MAP_READ) == FALSE)
      throw Error(ErrorCode::io,
                  "a buffer of " + std::to_string(gst_buffer_get_size(buffer)) +
                      " bytes cannot be mapped for reading: its memory is not the processor's");
  }
  ReadMap(const ReadMap&) = delete;
  ReadMap& operator=(const ReadMap&) = delete;
  ~ReadMap() { gst_buffer_unmap(buffer_, &map_); }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return std::as_bytes(std::span(map_.data, map_.size));
  }

 private:
  GstBuffer* buffer_;
  GstMapInfo map_{};
};

}  // namespace reel::gst
