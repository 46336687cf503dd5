// The bytes of any Python object that has them in one piece: bytes, bytearray, memoryview, a C-contiguous
// array. Private to the module; made and destroyed with the GIL held, read without.
#pragma once

#include <cstddef>
#include <span>

#include <pybind11/pybind11.h>

namespace reel::python {

class Buffer {
 public:
  /// Throws error_already_set (TypeError, BufferError).
  explicit Buffer(const pybind11::object& source) {
    if (PyObject_GetBuffer(source.ptr(), &view_, PyBUF_SIMPLE) != 0) throw pybind11::error_already_set();
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { PyBuffer_Release(&view_); }

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {static_cast<const std::byte*>(view_.buf), static_cast<std::size_t>(view_.len)};
  }

 private:
  Py_buffer view_{};
};

}  // namespace reel::python
