#include "views.hpp"

#include <vector>

#include <reel/base/error.hpp>

namespace reel::python {
namespace {

namespace py = pybind11;

/// One element of a plane: as OpenCV has it (two bytes of YUY2 and of NV12's chroma are one of two channels).
struct Element {
  const char* type;
  std::uint32_t sample_bytes;
  std::uint32_t channels;
};

Element element_of(PixelFormat pixel, std::uint32_t plane) {
  switch (pixel) {
    case PixelFormat::RGB:
    case PixelFormat::BGR: return {"u1", 1, 3};
    case PixelFormat::RGBx:
    case PixelFormat::BGRx:
    case PixelFormat::RGBA:
    case PixelFormat::BGRA: return {"u1", 1, 4};
    case PixelFormat::YUY2:
    case PixelFormat::UYVY: return {"u1", 1, 2};
    case PixelFormat::NV12:
    case PixelFormat::NV21: return {"u1", 1, plane == 0 ? 1U : 2U};
    case PixelFormat::GRAY16_LE: return {"<u2", 2, 1};
    case PixelFormat::I420:
    case PixelFormat::Y444:
    case PixelFormat::GRAY8: return {"u1", 1, 1};
  }
  return {"u1", 1, 1};
}

const char* type_of(SampleFormat sample) {
  switch (sample) {
    case SampleFormat::S16LE: return "<i2";
    case SampleFormat::S32LE: return "<i4";
    case SampleFormat::F32LE: return "<f4";
  }
  return "u1";
}

using Sizes = std::vector<py::ssize_t>;

py::array view(const Payload& payload, const char* type, Sizes shape, Sizes strides_bytes,
               std::size_t offset) {
  const py::capsule keeper(new std::shared_ptr<void>(payload.keep),
                           [](void* kept) { delete static_cast<std::shared_ptr<void>*>(kept); });
  py::array array(py::dtype(type), std::move(shape), std::move(strides_bytes), payload.data + offset, keeper);
  if (!payload.writable) array.attr("setflags")(py::arg("write") = false);
  return array;
}

py::array plane_of(const Payload& payload, PixelFormat pixel, std::uint32_t index) {
  const Plane& plane = payload.layout.planes[index];
  const Element element = element_of(pixel, index);
  const std::uint32_t element_bytes = element.sample_bytes * element.channels;
  Sizes shape{plane.rows, plane.row_bytes / element_bytes};
  Sizes strides{plane.stride_bytes, element_bytes};
  if (element.channels > 1) {
    shape.push_back(element.channels);
    strides.push_back(element.sample_bytes);
  }
  return view(payload, element.type, std::move(shape), std::move(strides), plane.offset_bytes);
}

py::array audio_of(const Payload& payload, const AudioFormat& audio) {
  const py::ssize_t sample = sample_bytes(audio.sample);
  const py::ssize_t frame = sample_frame_bytes(audio);
  return view(
      payload, type_of(audio.sample),
      {static_cast<py::ssize_t>(payload.size_bytes) / frame, static_cast<py::ssize_t>(audio.channels)},
      {frame, sample}, 0);
}

}  // namespace

py::array bytes_of(const Payload& payload) {
  return view(payload, "u1", {static_cast<py::ssize_t>(payload.size_bytes)}, {1}, 0);
}

py::tuple planes_of(const Payload& payload) {
  if (const VideoFormat* video = payload.format.video(); video != nullptr) {
    py::tuple planes(payload.layout.plane_count);
    for (std::uint32_t i = 0; i < payload.layout.plane_count; ++i)
      planes[i] = plane_of(payload, video->pixel, i);
    return planes;
  }
  if (const AudioFormat* audio = payload.format.audio(); audio != nullptr)
    return py::make_tuple(audio_of(payload, *audio));
  return py::make_tuple(bytes_of(payload));
}

py::array array_of(const Payload& payload) {
  const VideoFormat* video = payload.format.video();
  if (video != nullptr && payload.layout.plane_count != 1)
    throw Error(ErrorCode::bad_argument,
                "a picture of " + std::string(to_string(video->pixel)) + " has " +
                    std::to_string(payload.layout.plane_count) +
                    " planes, not one array: take .planes, or .data with cv2.cvtColor");
  if (video != nullptr) return plane_of(payload, video->pixel, 0);
  if (const AudioFormat* audio = payload.format.audio(); audio != nullptr) return audio_of(payload, *audio);
  return bytes_of(payload);
}

}  // namespace reel::python
