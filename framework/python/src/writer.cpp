#include "writer.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include <reel/base/clock.hpp>

#include "buffer.hpp"
#include "errors.hpp"
#include "side_data.hpp"

namespace reel::python {
namespace {

namespace py = pybind11;

constexpr std::int64_t kMillisecond_ns = 1'000'000;

FrameInfo info_of(const Said& said) {
  FrameInfo info;
  if (said.like != nullptr) info = said.like->get().info();
  info.kind = FrameKind::media;
  info.pts_ns = said.pts_ns.value_or(info.pts_ns);
  info.dts_ns = said.dts_ns.value_or(info.dts_ns);
  info.duration_ns = said.duration_ns.value_or(info.duration_ns);
  info.capture_ns = said.capture_ns.value_or(info.capture_ns);
  info.offset = said.offset.value_or(info.offset);
  info.offset_end = said.offset_end.value_or(info.offset_end);
  info.flags = said.flags.value_or(info.flags);
  return info;
}

void add_side_data(Loan& loan, const Said& said, const py::iterable& entries, const std::string& stream) {
  if (said.like != nullptr) add_all(loan.side_data(), said.like->get().side_data(), stream);
  for (const py::handle entry : entries) add_dict(loan.side_data(), entry.cast<py::dict>(), stream);
}

}  // namespace

/// One call of the writer: what other threads drop meanwhile is given back at its end, and a close() that
/// came meanwhile done.
class PyWriter::InUse {
 public:
  explicit InUse(PyWriter& writer)
      : writer_(writer), share_(writer.share_), use_(share_->in_use, writer.what()) {}
  InUse(const InUse&) = delete;
  InUse& operator=(const InUse&) = delete;
  ~InUse() {
    share_->dropped.clear();
    if (writer_.closing_) writer_.destroy();
  }

 private:
  PyWriter& writer_;
  std::shared_ptr<WriterShare> share_;
  Use use_;
};

PyWriter::PyWriter(const std::string& stream, const std::optional<Format>& format,
                   const WriterOptions& options)
    : share_(std::make_shared<WriterShare>(WriterShare{stream})) {
  const py::gil_scoped_release release;
  auto writer = std::make_unique<FrameWriter>(stream, options);
  if (format) writer->set_format(*format);
  format_ = writer->format();
  writer_ = OfThisProcess(std::move(writer));
}

FrameWriter& PyWriter::opened() const {
  if (closed()) throw Error(ErrorCode::closed, "it was closed", what());
  if (writer_.foreign()) throw_forked(what());
  return *writer_.get();
}

void PyWriter::check(WriteStatus status) const {
  if (closing_) throw Error(ErrorCode::closed, "it was closed by another thread", what());
  if (status == WriteStatus::ok) return;
  if (status == WriteStatus::interrupted)
    throw StatusError("interrupted", "interrupt() was called", stream());
  throw StatusError(to_string(status), writer_.get()->error(), stream());
}

void PyWriter::set_format(const Format& format) {
  FrameWriter& writer = opened();
  const InUse use(*this);
  {
    const py::gil_scoped_release release;
    writer.set_format(format);
  }
  format_ = format;
}

void PyWriter::follow(const PyFrame& frame, const std::optional<Format>& format) {
  FrameWriter& writer = opened();
  const Frame& from = frame.get();
  const InUse use(*this);
  {
    const py::gil_scoped_release release;
    writer.set_format(format ? *format : from.format());
    if (from.segment() != nullptr) writer.set_segment(*from.segment());
    if (from.tags() != nullptr) writer.set_tags(*from.tags());
  }
  format_ = format ? *format : from.format();
}

void PyWriter::set_segment(const Segment& segment) {
  FrameWriter& writer = opened();
  const InUse use(*this);
  writer.set_segment(segment);
}

void PyWriter::set_tags(const std::string& tags) {
  FrameWriter& writer = opened();
  const InUse use(*this);
  writer.set_tags(tags);
}

// REQUIRES: InUse. One call of acquire() for the whole of a long wait: the writer counts from its begin how
// long a reader keeps it.
Loan PyWriter::wait_for_slot(std::size_t size_bytes, std::optional<int> timeout_ms) {
  FrameWriter& writer = *writer_.get();
  const int limit_ms = timeout_ms && *timeout_ms >= 0 ? *timeout_ms : kForever;
  const bool short_wait = limit_ms != kForever && limit_ms <= kSignalSlice_ms;
  Loan loan;
  WriteStatus status = WriteStatus::ok;
  {
    const py::gil_scoped_release release;
    status = writer.acquire(loan, size_bytes, short_wait ? limit_ms : kSignalSlice_ms);
  }
  if (status == WriteStatus::timeout && !short_wait && !closing_) {
    check_signals();
    const int left_ms = limit_ms == kForever ? kForever : limit_ms - kSignalSlice_ms;
    run_writer_interruptibly([&] { status = writer.acquire(loan, size_bytes, left_ms); });
  }
  check(status);
  return loan;
}

// REQUIRES: InUse. Before the first frame, which would wait itself, but not for signals.
void PyWriter::wait_for_declared() {
  if (waited_for_readers_) return;
  FrameWriter& writer = *writer_.get();
  const auto wait = [&] {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    (void)writer.wait_for_readers(SharedWait{lock, {}});
  };
  run_writer_interruptibly(wait);
  check(interrupted_ ? WriteStatus::interrupted : WriteStatus::ok);
  waited_for_readers_ = true;
}

void PyWriter::run_writer_interruptibly(const std::function<void()>& work) {
  FrameWriter& writer = *writer_.get();
  try {
    run_interruptibly(work, [&] { writer.interrupt(); });
  } catch (const py::error_already_set&) {
    if (!interrupted_ && !closing_) writer.resume();
    throw;
  }
}

PyLoan PyWriter::acquire(std::size_t size_bytes, std::optional<int> timeout_ms) {
  (void)opened();
  const InUse use(*this);
  return PyLoan(std::make_shared<HeldLoan>(wait_for_slot(size_bytes, timeout_ms), share_));
}

void PyWriter::publish(PyLoan& loan, const Said& said, const py::iterable& side_data) {
  FrameWriter& writer = opened();
  HeldLoan& held = loan.held();
  if (held.writer() != share_)
    throw Error(ErrorCode::bad_argument, "the loan is of the stream \"" + held.writer()->stream + "\"",
                stream());
  const FrameInfo info = info_of(said);
  const InUse use(*this);
  wait_for_declared();
  add_side_data(held.loan(), said, side_data, stream());
  const bool viewed = loan.viewed();
  WriteStatus status = WriteStatus::ok;
  {
    const py::gil_scoped_release release;
    status =
        viewed ? writer.publish_and_keep(held.loan(), info) : writer.publish(std::move(held.loan()), info);
  }
  check(status);
  held.make_read_only();
  loan.let_go();
}

void PyWriter::write_bytes(const py::object& payload, const Said& said, const py::iterable& side_data,
                           std::optional<int> timeout_ms) {
  FrameWriter& writer = opened();
  const Buffer buffer(payload);
  const FrameInfo info = info_of(said);
  const InUse use(*this);
  wait_for_declared();
  Loan loan = wait_for_slot(buffer.bytes().size(), timeout_ms);
  add_side_data(loan, said, side_data, stream());
  WriteStatus status = WriteStatus::ok;
  {
    const py::gil_scoped_release release;
    (void)loan.copy_from(buffer.bytes());  // it was acquired for as many
    status = writer.publish(std::move(loan), info);
  }
  check(status);
}

// REQUIRES: InUse.
void PyWriter::publish_other(std::span<const std::byte> payload, const FrameInfo& info) {
  wait_for_declared();
  Loan loan = wait_for_slot(std::max<std::size_t>(payload.size(), 1), std::nullopt);
  (void)loan.copy_from(payload);
  check(writer_.get()->publish(std::move(loan), info));
}

void PyWriter::write_gap(std::int64_t pts_ns, std::int64_t duration_ns) {
  (void)opened();
  const InUse use(*this);
  FrameInfo info;
  info.kind = FrameKind::gap;
  info.pts_ns = pts_ns;
  info.duration_ns = duration_ns;
  publish_other({}, info);
}

void PyWriter::write_event(const std::string& text, std::optional<std::int64_t> pts_ns) {
  (void)opened();
  const InUse use(*this);
  FrameInfo info;
  info.kind = FrameKind::event;
  info.pts_ns = pts_ns.value_or(kNoTime);
  publish_other(std::as_bytes(std::span(text)), info);
}

void PyWriter::end() {
  FrameWriter& writer = opened();
  const InUse use(*this);
  writer.end();
}

bool PyWriter::drain(std::optional<int> timeout_ms) {
  FrameWriter& writer = opened();
  const InUse use(*this);
  const bool bounded = timeout_ms && *timeout_ms >= 0;
  const std::int64_t deadline_ns = bounded ? monotonic_ns() + *timeout_ms * kMillisecond_ns : 0;
  for (;;) {
    const std::int64_t left_ms = bounded ? (deadline_ns - monotonic_ns()) / kMillisecond_ns : kSignalSlice_ms;
    bool drained = false;
    {
      const py::gil_scoped_release release;
      drained = writer.drain(static_cast<int>(std::clamp<std::int64_t>(left_ms, 0, kSignalSlice_ms)));
    }
    if (drained) return true;
    check_signals();
    check(interrupted_ ? WriteStatus::interrupted : WriteStatus::ok);
    if (bounded && monotonic_ns() >= deadline_ns) return false;
  }
}

void PyWriter::wait_for_readers() {
  (void)opened();
  const InUse use(*this);
  wait_for_declared();
}

bool PyWriter::take_key_frame_request() {
  FrameWriter& writer = opened();
  const InUse use(*this);
  return writer.take_key_frame_request();
}

void PyWriter::interrupt() {
  interrupted_ = true;
  opened().interrupt();
}

void PyWriter::resume() {
  interrupted_ = false;
  opened().resume();
}

void PyWriter::close() {
  if (!writer_ || closing_) return;
  if (!share_->in_use) return destroy();
  closing_ = true;
  writer_.get()->interrupt();
}

void PyWriter::destroy() {
  OfThisProcess<FrameWriter> last = std::move(writer_);
  const bool in_call = std::exchange(share_->in_use, true);  // loans that are dropped now wait
  {
    const py::gil_scoped_release release;
    last = {};
  }
  share_->in_use = in_call;
  share_->dropped.clear();
}

}  // namespace reel::python
