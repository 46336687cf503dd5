#include "format.hpp"

#include <string>

#include <pybind11/operators.h>
#include <pybind11/stl.h>

#include <reel/base/error.hpp>
#include <reel/format/format.hpp>

namespace reel::python {
namespace {

namespace py = pybind11;

constexpr int kLargestFpsDenominator = 1001;  // 30000/1001 and its like are found again in a float

// A number, a Fraction or None; Fraction(x) of a pair would be an error: pairs are taken apart.
Fraction fraction_of(const py::object& fps) {
  if (fps.is_none()) return {};
  py::object made = py::module_::import("fractions").attr("Fraction");
  made = py::isinstance<py::tuple>(fps) ? made(*py::reinterpret_borrow<py::tuple>(fps)) : made(fps);
  if (PyFloat_Check(fps.ptr()) != 0) made = made.attr("limit_denominator")(kLargestFpsDenominator);
  try {
    return {made.attr("numerator").cast<std::uint32_t>(), made.attr("denominator").cast<std::uint32_t>()};
  } catch (const py::cast_error&) {
    throw Error(ErrorCode::bad_argument,
                "a rate of " + py::str(fps).cast<std::string>() +
                    " frames a second: it is 0 or more, and a fraction of numbers of "
                    "32 bits");
  }
}

Format video(const std::string& pixel, std::uint32_t width, std::uint32_t height, const py::object& fps) {
  const auto known = pixel_format_from(pixel);
  if (!known) {
    std::string names;
    for (const PixelFormat each : all_pixel_formats())
      names += (names.empty() ? "" : ", ") + std::string(to_string(each));
    throw Error(ErrorCode::bad_argument, "no pixel format '" + pixel + "': there are " + names);
  }
  const VideoFormat format{*known, width, height, fraction_of(fps)};
  (void)default_layout(format);  // throws for a size out of range
  return format;
}

Format audio(const std::string& sample, std::uint32_t rate_hz, std::uint32_t channels) {
  const auto known = sample_format_from(sample);
  if (!known)
    throw Error(ErrorCode::bad_argument, "no sample format '" + sample + "': there are S16LE, S32LE, F32LE");
  if (rate_hz == 0 || channels == 0)
    throw Error(ErrorCode::bad_argument, "sound of " + std::to_string(channels) + " channels at " +
                                             std::to_string(rate_hz) + " Hz: both are at least 1");
  return AudioFormat{*known, rate_hz, channels};
}

py::object fps_of(const Format& format) {
  const VideoFormat* raw = format.video();
  const EncodedFormat* encoded = format.encoded();
  if (raw == nullptr && encoded == nullptr) return py::none();
  const Fraction fps = raw != nullptr ? raw->fps : encoded->fps;
  if (fps.numerator == 0 || fps.denominator == 0) return py::none();
  return py::module_::import("fractions").attr("Fraction")(fps.numerator, fps.denominator);
}

/// A field of raw video or of encoded media; None where the format is something else.
template <typename Raw, typename Value, typename EncodedValue>
py::object field(const Raw* raw, const EncodedFormat* encoded, Value Raw::*of_raw,
                 EncodedValue EncodedFormat::*of_encoded) {
  if (raw != nullptr) return py::cast(raw->*of_raw);
  if (encoded != nullptr && encoded->*of_encoded != 0) return py::cast(encoded->*of_encoded);
  return py::none();
}

void bind_fields(py::class_<Format>& format) {
  format.def_property_readonly("kind", [](const Format& self) { return std::string(to_string(self.kind())); })
      .def_property_readonly("caps", &Format::caps)
      .def_property_readonly("pixel",
                             [](const Format& self) -> py::object {
                               if (self.video() == nullptr) return py::none();
                               return py::str(std::string(to_string(self.video()->pixel)));
                             })
      .def_property_readonly("width",
                             [](const Format& self) {
                               return field(self.video(), self.encoded(), &VideoFormat::width,
                                            &EncodedFormat::width);
                             })
      .def_property_readonly("height",
                             [](const Format& self) {
                               return field(self.video(), self.encoded(), &VideoFormat::height,
                                            &EncodedFormat::height);
                             })
      .def_property_readonly("fps", &fps_of)
      .def_property_readonly("sample",
                             [](const Format& self) -> py::object {
                               if (self.audio() == nullptr) return py::none();
                               return py::str(std::string(to_string(self.audio()->sample)));
                             })
      .def_property_readonly("rate_hz",
                             [](const Format& self) {
                               return field(self.audio(), self.encoded(), &AudioFormat::rate_hz,
                                            &EncodedFormat::rate_hz);
                             })
      .def_property_readonly("channels",
                             [](const Format& self) {
                               return field(self.audio(), self.encoded(), &AudioFormat::channels,
                                            &EncodedFormat::channels);
                             })
      .def_property_readonly("codec",
                             [](const Format& self) -> py::object {
                               if (self.encoded() == nullptr) return py::none();
                               return py::str(std::string(to_string(self.encoded()->codec)));
                             })
      .def_property_readonly("codec_data",
                             [](const Format& self) {
                               const auto data = self.codec_data();
                               return py::bytes(reinterpret_cast<const char*>(data.data()), data.size());
                             })
      .def_property_readonly("frame_bytes", &Format::frame_bytes);
}

}  // namespace

void bind_format(py::module_& module) {
  py::class_<Format> format(module, "Format", "What the frames of a stream are. A value: compares, hashes.");
  format.def(py::init<>(), "Opaque bytes.")
      .def_static(
          "video", &video, py::arg("pixel"), py::arg("width"), py::arg("height"), py::arg("fps") = py::none(),
          "Raw video; `pixel` by GStreamer's name (BGR, RGB, GRAY8, NV12, I420 ...), `fps` a number, a "
          "Fraction or a pair.")
      .def_static("audio", &audio, py::arg("sample"), py::arg("rate_hz"), py::arg("channels"),
                  "Raw interleaved audio; `sample` is S16LE, S32LE or F32LE.")
      .def_static("from_caps", &Format::from_caps, py::arg("caps"),
                  "From GStreamer's caps text, encoded media and others included.")
      .def(py::self == py::self)
      .def("__hash__", [](const Format& self) { return py::hash(py::str(self.caps())); })
      .def("__repr__", [](const Format& self) { return "Format.from_caps('" + self.caps() + "')"; });
  bind_fields(format);
}

}  // namespace reel::python
