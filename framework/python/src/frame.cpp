#include "frame.hpp"

#include <optional>

#include <pybind11/stl.h>

#include <reel/base/error.hpp>

#include "side_data.hpp"
#include "views.hpp"

namespace reel::python {
namespace {

namespace py = pybind11;

std::optional<std::int64_t> time_of(std::int64_t time_ns) {
  return time_ns == kNoTime ? std::nullopt : std::optional(time_ns);
}
std::optional<std::uint64_t> offset_of(std::uint64_t offset) {
  return offset == ~std::uint64_t{0} ? std::nullopt : std::optional(offset);
}

const char* kind_of(FrameKind kind) {
  switch (kind) {
    case FrameKind::media: return "media";
    case FrameKind::gap: return "gap";
    case FrameKind::event: return "event";
  }
  return "event";
}

Payload payload_of(const PyFrame& self) {
  const Frame& frame = self.get();
  if (frame.info().kind != FrameKind::media)
    throw Error(ErrorCode::bad_argument, std::string("a frame of the kind '") + kind_of(frame.info().kind) +
                                             "' has no picture or sound");
  // The array is made read-only, and so is the mapping.
  return {frame.format(),      frame.layout(), const_cast<std::byte*>(frame.data().data()),
          frame.data().size(), self.held(),    false};
}

py::object text_of(const PyFrame& self) {
  const Frame& frame = self.get();
  if (frame.info().kind != FrameKind::event) return py::none();
  return py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(reinterpret_cast<const char*>(frame.data().data()),
                           static_cast<Py_ssize_t>(frame.data().size()), "replace"));
}

py::object segment_of(const PyFrame& self) {
  const Segment* segment = self.get().segment();
  if (segment == nullptr) return py::none();
  py::dict dict;
  dict["rate"] = segment->rate;
  dict["applied_rate"] = segment->applied_rate;
  dict["start_ns"] = segment->start_ns;
  dict["stop_ns"] = time_of(segment->stop_ns);
  dict["time_ns"] = segment->time_ns;
  dict["base_ns"] = segment->base_ns;
  dict["monotonic_offset_ns"] = time_of(segment->monotonic_offset_ns);
  return dict;
}

template <typename Value>
void bind_info(py::class_<PyFrame>& frame, const char* name, Value FrameInfo::*member,
               std::optional<Value> (*given)(Value)) {
  frame.def_property_readonly(
      name, [member, given](const PyFrame& self) { return given(self.get().info().*member); });
}

void bind_flag(py::class_<PyFrame>& frame, const char* name, FrameFlag flag) {
  frame.def_property_readonly(name,
                              [flag](const PyFrame& self) { return (self.get().info().flags & flag) != 0; });
}

void bind_facts(py::class_<PyFrame>& frame) {
  frame.def_property_readonly("sequence", [](const PyFrame& self) { return self.get().sequence(); })
      .def_property_readonly("kind", [](const PyFrame& self) { return kind_of(self.get().info().kind); })
      .def_property_readonly("publish_ns", [](const PyFrame& self) { return self.get().publish_ns(); })
      .def_property_readonly("missed_before", [](const PyFrame& self) { return self.get().missed_before(); })
      .def_property_readonly("verified", [](const PyFrame& self) { return self.get().verified(); })
      .def_property_readonly("flags", [](const PyFrame& self) { return self.get().info().flags; })
      .def_property_readonly("format", [](const PyFrame& self) { return self.get().format(); })
      .def_property_readonly("text", &text_of)
      .def_property_readonly("segment", &segment_of)
      .def_property_readonly("tags",
                             [](const PyFrame& self) {
                               const Tags* tags = self.get().tags();
                               return tags == nullptr ? std::nullopt : std::optional(*tags);
                             })
      .def_property_readonly("side_data",
                             [](const PyFrame& self) { return dicts_of(self.get().side_data()); });
  bind_info(frame, "pts_ns", &FrameInfo::pts_ns, time_of);
  bind_info(frame, "dts_ns", &FrameInfo::dts_ns, time_of);
  bind_info(frame, "duration_ns", &FrameInfo::duration_ns, time_of);
  bind_info(frame, "capture_ns", &FrameInfo::capture_ns, time_of);
  bind_info(frame, "offset", &FrameInfo::offset, offset_of);
  bind_info(frame, "offset_end", &FrameInfo::offset_end, offset_of);
  bind_flag(frame, "key_frame", kKeyFrame);
  bind_flag(frame, "discont", kDiscont);
  bind_flag(frame, "corrupted", kCorrupted);
}

std::string describe(const PyFrame& self) {
  if (!self.held()) return "<reel.Frame, released>";
  const Frame& frame = self.get();
  return "<reel.Frame " + std::to_string(frame.sequence()) + ", " + kind_of(frame.info().kind) + " of \"" +
         frame.format().caps() + "\">";
}

}  // namespace

const Frame& PyFrame::get() const {
  if (!held_) throw Error(ErrorCode::closed, "the frame was released");
  if (held_->foreign()) throw_forked("the frame's reader");
  return *held_->get();
}

void bind_frame(py::module_& module) {
  py::class_<PyFrame> frame(
      module, "Frame",
      "A frame that was read: read-only, its slot held until it is released or dropped, "
      "and every array of it too.");
  bind_facts(frame);
  frame.def_property_readonly("array", [](const PyFrame& self) { return array_of(payload_of(self)); })
      .def_property_readonly("planes", [](const PyFrame& self) { return planes_of(payload_of(self)); })
      .def_property_readonly("data", [](const PyFrame& self) { return bytes_of(payload_of(self)); })
      .def("release", &PyFrame::release, "Lets the frame go; its slot goes back once no array of it is left.")
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](PyFrame& self, const py::args&) { self.release(); })
      .def("__repr__", &describe);
}

}  // namespace reel::python
