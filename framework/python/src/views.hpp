// Payloads as NumPy arrays without a copy. An array keeps what it looks at: the frame stays pinned, the loan
// open, until the last array of it is dropped. Private to the module; called with the GIL held.
#pragma once

#include <cstddef>
#include <memory>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <reel/format/format.hpp>

namespace reel::python {

struct Payload {
  const Format& format;
  const VideoLayout& layout;
  std::byte* data;
  std::size_t size_bytes;
  std::shared_ptr<void> keep;  // who holds the slot
  bool writable;
};

/// One array a plane: height x width (x channels), by the payload's own strides; (sample frames, channels) of
/// raw audio; otherwise its bytes.
[[nodiscard]] pybind11::tuple planes_of(const Payload& payload);
/// The only plane. Throws Error{bad_argument} for a picture of several.
[[nodiscard]] pybind11::array array_of(const Payload& payload);
/// The whole payload, one byte after the other.
[[nodiscard]] pybind11::array bytes_of(const Payload& payload);

}  // namespace reel::python
