#include <pybind11/stl.h>

#include "errors.hpp"
#include "writer.hpp"

namespace reel::python {
namespace {

namespace py = pybind11;

constexpr std::uint32_t kLoans = 2;  // one whose arrays are still about, beside the one that is being filled

ChecksumMode checksum_from(const std::string& name) {
  if (name == "full") return ChecksumMode::full;
  if (name == "sampled") return ChecksumMode::sampled;
  if (name == "none") return ChecksumMode::none;
  throw Error(ErrorCode::bad_argument, "checksum '" + name + "': it is one of full, sampled, none");
}

SegmentKind memory_from(const std::string& name) {
  if (const auto kind = segment_kind_from(name)) return *kind;
  throw Error(ErrorCode::bad_argument, "memory '" + name + "': it is one of memfd, posix");
}

std::vector<Policy> policies_from(const std::vector<std::string>& names) {
  std::vector<Policy> policies;
  for (const std::string& name : names) {
    const auto policy = policy_from(name);
    if (!policy)
      throw Error(ErrorCode::bad_argument, "policy '" + name + "': it is one of lossless, queue, latest");
    policies.push_back(*policy);
  }
  return policies;
}

/// Sets a plain option to what the keyword of its name says.
template <typename Value>
void take(py::dict& given, const char* name, Value& option) {
  if (!given.contains(name)) return;
  option = given[name].cast<Value>();
  given.attr("pop")(name);
}

WriterOptions options_from(py::dict given) {
  WriterOptions options;
  options.loans = kLoans;
  options.grow_for_readers = true;
  std::string checksum = "full";
  std::string memory = "memfd";
  std::vector<std::string> policies;
  take(given, "slots", options.slots);
  take(given, "slot_bytes", options.slot_bytes);
  take(given, "max_bytes", options.max_bytes);
  take(given, "grow_for_readers", options.grow_for_readers);
  take(given, "history", options.history);
  take(given, "loans", options.loans);
  take(given, "side_data_bytes", options.side_data_bytes);
  take(given, "checksum", checksum);
  take(given, "live", options.live);
  take(given, "lag_frames", options.lag_frames);
  take(given, "allowed_policies", policies);
  take(given, "wait_for", options.wait_for);
  take(given, "start_timeout_ms", options.start_timeout_ms);
  take(given, "stall_timeout_ms", options.stall_timeout_ms);
  take(given, "absence_timeout_ms", options.absence_timeout_ms);
  take(given, "resume_ms", options.resume_ms);
  take(given, "memory", memory);
  take(given, "allowed_users", options.allowed_users);
  take(given, "allowed_groups", options.allowed_groups);
  take(given, "allow_everyone", options.allow_everyone);
  options.checksum = checksum_from(checksum);
  options.memory = memory_from(memory);
  options.allowed_policies = policies_from(policies);
  for (const auto& [name, value] : given)
    throw py::type_error("Writer() has no option '" + name.cast<std::string>() + "'");
  return options;
}

py::dict stats_of(const PyWriter& self) {
  const WriterStats stats = self.opened().stats();
  py::dict dict;
  dict["published"] = stats.published;
  dict["bytes"] = stats.bytes;
  dict["copied"] = stats.copied;
  dict["waits"] = stats.waits;
  dict["demoted"] = stats.demoted;
  dict["refused"] = stats.refused;
  dict["epochs"] = stats.epochs;
  return dict;
}

py::list readers_of(const PyWriter& self) {
  py::list all;
  for (const ReaderStatus& reader : self.opened().readers()) {
    py::dict dict;
    dict["pid"] = reader.pid;
    dict["name"] = reader.name;
    dict["policy"] = std::string(to_string(reader.policy));
    dict["demoted"] = reader.demoted;
    dict["pinned"] = reader.pinned;
    dict["max_pins"] = reader.max_pins;
    dict["away_ms"] = reader.away_ms;
    dict["delivered"] = reader.delivered;
    dict["verified"] = reader.verified;
    dict["skipped"] = reader.skipped;
    dict["lapped"] = reader.lapped;
    dict["corrupted"] = reader.corrupted;
    all.append(dict);
  }
  return all;
}

/// Of the keywords that publish() and write_bytes() have in common.
Said said(const PyFrame* like, std::optional<std::int64_t> pts_ns, std::optional<std::int64_t> dts_ns,
          std::optional<std::int64_t> duration_ns, std::optional<std::int64_t> capture_ns,
          std::optional<std::uint64_t> offset, std::optional<std::uint64_t> offset_end,
          std::optional<std::uint32_t> flags) {
  return {like, pts_ns, dts_ns, duration_ns, capture_ns, offset, offset_end, flags};
}

using Time = std::optional<std::int64_t>;
using Number = std::optional<std::uint64_t>;
using Flags = std::optional<std::uint32_t>;

void bind_data(py::class_<PyWriter>& writer) {
  const py::none none;
  const py::tuple no_entries;
  writer
      .def("acquire", &PyWriter::acquire, py::arg("size_bytes") = 0, py::arg("timeout_ms") = none,
           "A slot to fill: of size_bytes, or the format's own frame size. Waits where readers want it to; "
           "raises "
           "Error 'timeout' when timeout_ms has passed.")
      .def(
          "publish",
          [](PyWriter& self, PyLoan& loan, const PyFrame* like, Time pts_ns, Time dts_ns, Time duration_ns,
             Time capture_ns, Number offset, Number offset_end, Flags flags, const py::iterable& side_data) {
            self.publish(loan, said(like, pts_ns, dts_ns, duration_ns, capture_ns, offset, offset_end, flags),
                         side_data);
          },
          py::arg("loan"), py::kw_only(), py::arg("like") = none, py::arg("pts_ns") = none,
          py::arg("dts_ns") = none, py::arg("duration_ns") = none, py::arg("capture_ns") = none,
          py::arg("offset") = none, py::arg("offset_end") = none, py::arg("flags") = none,
          py::arg("side_data") = no_entries, "Publishes a filled loan; its arrays become read-only.")
      .def(
          "write_bytes",
          [](PyWriter& self, const py::object& payload, const PyFrame* like, Time pts_ns, Time dts_ns,
             Time duration_ns, Time capture_ns, Number offset, Number offset_end, Flags flags,
             const py::iterable& side_data, std::optional<int> timeout_ms) {
            self.write_bytes(payload,
                             said(like, pts_ns, dts_ns, duration_ns, capture_ns, offset, offset_end, flags),
                             side_data, timeout_ms);
          },
          py::arg("payload"), py::kw_only(), py::arg("like") = none, py::arg("pts_ns") = none,
          py::arg("dts_ns") = none, py::arg("duration_ns") = none, py::arg("capture_ns") = none,
          py::arg("offset") = none, py::arg("offset_end") = none, py::arg("flags") = none,
          py::arg("side_data") = no_entries, py::arg("timeout_ms") = none,
          "Copies, hashes and publishes one contiguous payload in the format's default layout.")
      .def("write_gap", &PyWriter::write_gap, py::arg("pts_ns"), py::arg("duration_ns"))
      .def("write_event", &PyWriter::write_event, py::arg("text"), py::arg("pts_ns") = none)
      .def("end", &PyWriter::end, "End of stream: readers get what they are owed, then the end.")
      .def("drain", &PyWriter::drain, py::arg("timeout_ms") = none,
           "After end(): waits until lossless and queue readers have their last frame; True when all have.");
}

Segment segment_from(double rate, double applied_rate, std::int64_t start_ns, Time stop_ns,
                     std::int64_t time_ns, std::int64_t base_ns, Time monotonic_offset_ns) {
  return {rate,
          applied_rate,
          start_ns,
          stop_ns.value_or(kNoTime),
          time_ns,
          base_ns,
          monotonic_offset_ns.value_or(kNoTime)};
}

void bind_settings(py::class_<PyWriter>& writer) {
  writer.def("set_format", &PyWriter::set_format, py::arg("format"), "For the frames acquired from now on.")
      .def("follow", &PyWriter::follow, py::arg("frame"), py::arg("format") = py::none(),
           "Takes over a frame's segment and tags, and its format unless another is given.")
      .def(
          "set_segment",
          [](PyWriter& self, double rate, double applied_rate, std::int64_t start_ns, Time stop_ns,
             std::int64_t time_ns, std::int64_t base_ns, Time monotonic_offset_ns) {
            self.set_segment(
                segment_from(rate, applied_rate, start_ns, stop_ns, time_ns, base_ns, monotonic_offset_ns));
          },
          py::kw_only(), py::arg("rate") = 1.0, py::arg("applied_rate") = 1.0, py::arg("start_ns") = 0,
          py::arg("stop_ns") = py::none(), py::arg("time_ns") = 0, py::arg("base_ns") = 0,
          py::arg("monotonic_offset_ns") = py::none())
      .def("set_tags", &PyWriter::set_tags, py::arg("tags"));
}

}  // namespace

void bind_writer(py::module_& module) {
  py::class_<PyWriter> writer(module, "Writer", "Writes one stream; for one thread at a time.");
  writer
      .def(py::init(
               [](const std::string& stream, const std::optional<Format>& format, const py::kwargs& options) {
                 return std::make_unique<PyWriter>(stream, format, options_from(options));
               }),
           py::arg("stream"), py::arg("format") = py::none())
      .def("wait_for_readers", &PyWriter::wait_for_readers,
           "Waits until the readers of wait_for have joined, or start_timeout_ms; the first frame does so "
           "itself.")
      .def("take_key_frame_request", &PyWriter::take_key_frame_request)
      .def("interrupt", &PyWriter::interrupt,
           "Ends a waiting call and all later ones (Error 'interrupted'), until resume(). From any thread.")
      .def("resume", &PyWriter::resume)
      .def("close", &PyWriter::close,
           "Leaves the stream; without end() before it readers see a writer that went away.")
      .def_property_readonly("closed", &PyWriter::closed)
      .def_property_readonly("stream", &PyWriter::stream)
      .def_property_readonly("format", &PyWriter::format)
      .def_property_readonly("stats", &stats_of)
      .def_property_readonly("readers", &readers_of)
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__",
           [](PyWriter& self, const py::object& type, const py::args&) {
             if (type.is_none() && !self.closed()) self.end();
             self.close();
           })
      .def("__repr__", [](const PyWriter& self) {
        return "<reel.Writer of \"" + self.stream() + "\"" + (self.closed() ? ", closed>" : ">");
      });
  bind_data(writer);
  bind_settings(writer);
}

}  // namespace reel::python
