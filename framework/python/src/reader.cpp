#include "reader.hpp"

#include <algorithm>
#include <utility>

#include <pybind11/stl.h>

#include <reel/base/clock.hpp>

#include "errors.hpp"

namespace reel::python {
namespace {

namespace py = pybind11;

constexpr std::int64_t kMillisecond_ns = 1'000'000;

template <typename Value>
Value named(const char* what, const std::string& name,
            std::optional<Value> (*from)(std::string_view) noexcept, const char* known) {
  const auto value = from(name);
  if (!value)
    throw Error(ErrorCode::bad_argument, std::string(what) + " '" + name + "': it is one of " + known);
  return *value;
}

std::unique_ptr<PyReader> make_reader(const std::string& stream, const std::string& name,
                                      const std::string& policy, const std::string& start,
                                      std::uint32_t max_pins, bool verify, bool deliver_corrupted,
                                      bool reconnect, std::optional<int> connect_timeout_ms,
                                      int absence_notice_ms) {
  ReaderOptions options;
  options.name = name;
  options.policy = named("policy", policy, policy_from, "lossless, queue, latest");
  options.start = named("start", start, start_from, "live, oldest, keyframe, resume");
  options.max_pins = max_pins;
  options.verify = verify;
  options.deliver_corrupted = deliver_corrupted;
  options.reconnect = reconnect;
  options.connect_timeout_ms = connect_timeout_ms.value_or(kForever);
  options.absence_notice_ms = absence_notice_ms;
  return std::make_unique<PyReader>(stream, options);
}

py::dict stats_of(const PyReader& self) {
  const ReaderStats stats = self.stats();
  py::dict dict;
  dict["delivered"] = stats.delivered;
  dict["verified"] = stats.verified;
  dict["corrupted"] = stats.corrupted;
  dict["skipped"] = stats.skipped;
  dict["lapped"] = stats.lapped;
  dict["connects"] = stats.connects;
  return dict;
}

}  // namespace

PyReader::PyReader(const std::string& stream, const ReaderOptions& options)
    : stream_(stream), max_pins_(options.max_pins) {
  const py::gil_scoped_release release;
  reader_ = OfThisProcess(std::make_unique<FrameReader>(stream, options));
}

FrameReader& PyReader::opened() const {
  if (closed()) throw Error(ErrorCode::closed, "it was closed", what());
  if (reader_.foreign()) throw_forked(what());
  return *reader_.get();
}

void PyReader::throw_status(ReadStatus status) const {
  switch (status) {
    case ReadStatus::ended: throw StatusError("ended", "the stream has ended", stream_);
    case ReadStatus::closed:
      throw Error(ErrorCode::closed, "its writer went away without ending it, and `reconnect` is off",
                  stream_);
    case ReadStatus::too_many_held:
      throw StatusError(
          "too_many_held",
          std::to_string(max_pins_) +
              " frames are held, as many as max_pins allows, by Frame objects or arrays that the "
              "program keeps: copy what is kept (frame.array.copy()), release frames, or open the "
              "reader with a larger max_pins",
          stream_);
    case ReadStatus::interrupted: throw StatusError("interrupted", "interrupt() was called", stream_);
    default: throw StatusError("failed", opened().error(), stream_);
  }
}

std::optional<PyFrame> PyReader::read(std::optional<int> timeout_ms) {
  FrameReader& reader = opened();
  const Use use(in_use_, what());
  const bool bounded = timeout_ms && *timeout_ms >= 0;
  const std::int64_t deadline_ns = bounded ? monotonic_ns() + *timeout_ms * kMillisecond_ns : 0;
  look_about(reader);
  auto frame = std::make_unique<Frame>();
  int slice_ms = bounded ? std::min(*timeout_ms, kSignalSlice_ms) : kSignalSlice_ms;
  for (;;) {
    ReadStatus status = ReadStatus::empty;
    {
      const py::gil_scoped_release release;
      status = reader.read(*frame, slice_ms);
    }
    look_about(reader);
    if (closing_) {
      destroy();
      throw Error(ErrorCode::closed, "it was closed by another thread", what());
    }
    if (status == ReadStatus::frame) return PyFrame(std::move(frame));
    if (status != ReadStatus::empty) throw_status(status);
    check_signals();
    if (!bounded) continue;
    const std::int64_t left_ns = deadline_ns - monotonic_ns();
    if (left_ns <= 0) return std::nullopt;
    slice_ms = static_cast<int>(std::clamp<std::int64_t>(left_ns / kMillisecond_ns, 1, kSignalSlice_ms));
  }
}

// REQUIRES: Use, and the GIL, which is what other threads see these under.
void PyReader::look_about(FrameReader& reader) {
  if (std::exchange(key_frame_wanted_, false)) (void)reader.request_key_frame();
  stats_ = reader.stats();
  connected_ = reader.connected();
}

ReaderStats PyReader::stats() const {
  const FrameReader& reader = opened();
  return in_use_ ? stats_ : reader.stats();
}

bool PyReader::connected() const {
  const FrameReader& reader = opened();
  return in_use_ ? connected_ : reader.connected();
}

bool PyReader::request_key_frame() {
  FrameReader& reader = opened();
  if (!in_use_) return reader.request_key_frame();
  key_frame_wanted_ = connected_;
  return connected_;
}

PyFrame PyReader::next() {
  try {
    for (;;) {
      auto frame = read(std::nullopt);
      if (frame && frame->get().info().kind == FrameKind::media) return std::move(*frame);
    }
  } catch (const StatusError& status) {
    if (status.code() == "ended" || status.code() == "interrupted") throw py::stop_iteration();
    throw;
  }
}

bool PyReader::prepare_wait() {
  FrameReader& reader = opened();
  const Use use(in_use_, what());
  return reader.prepare_wait();
}

void PyReader::close() {
  if (!reader_ || closing_) return;
  if (!in_use_) return destroy();
  closing_ = true;
  reader_.get()->interrupt();
}

void PyReader::destroy() {
  OfThisProcess<FrameReader> last = std::move(reader_);
  const py::gil_scoped_release release;
  last = {};
}

void bind_reader(py::module_& module) {
  py::class_<PyReader>(module, "Reader", "Reads one stream; for one thread at a time.")
      .def(py::init(&make_reader), py::arg("stream"), py::kw_only(), py::arg("name") = "",
           py::arg("policy") = "queue", py::arg("start") = "live", py::arg("max_pins") = kDefaultPins,
           py::arg("verify") = true, py::arg("deliver_corrupted") = false, py::arg("reconnect") = true,
           py::arg("connect_timeout_ms") = py::none(), py::arg("absence_notice_ms") = 10'000)
      .def("read", &PyReader::read, py::arg("timeout_ms") = py::none(),
           "The next frame, gaps and events included; None when timeout_ms has passed. Raises Ended at the "
           "end of "
           "the stream. Ctrl-C ends the wait.")
      .def("__iter__", [](py::object self) { return self; })
      .def("__next__", &PyReader::next)
      .def(
          "fileno", [](const PyReader& self) { return self.opened().fd(); },
          "A descriptor for event loops, the same one for the reader's life; it fires only after "
          "prepare_wait() "
          "returned True.")
      .def("prepare_wait", &PyReader::prepare_wait,
           "Asks for the descriptor to fire; False where there is something to read already.")
      .def(
          "interrupt", [](const PyReader& self) { self.opened().interrupt(); },
          "Ends a waiting read and all later ones (Error 'interrupted'; iteration stops), until resume(). "
          "From any "
          "thread.")
      .def("resume", [](const PyReader& self) { self.opened().resume(); })
      .def("request_key_frame", &PyReader::request_key_frame)
      .def("close", &PyReader::close, "Leaves the stream. Frames and arrays that are kept stay readable.")
      .def_property_readonly("closed", &PyReader::closed)
      .def_property_readonly("stream", &PyReader::stream)
      .def_property_readonly("connected", &PyReader::connected)
      .def_property_readonly("stats", &stats_of)
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](PyReader& self, const py::args&) { self.close(); })
      .def("__repr__", [](const PyReader& self) {
        return "<reel.Reader of \"" + self.stream() + "\"" + (self.closed() ? ", closed>" : ">");
      });
}

}  // namespace reel::python
