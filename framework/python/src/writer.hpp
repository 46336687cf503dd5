// reel.Writer of Python. Private to the module; called with the GIL held, which every wait and every copy
// lets go.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <pybind11/pybind11.h>

#include <reel/channel/frame_writer.hpp>

#include "frame.hpp"
#include "loan.hpp"
#include "use.hpp"

namespace reel::python {

/// What is said of a frame that is published; none: as `like` has it, or nothing.
struct Said {
  const PyFrame* like = nullptr;  // times, flags, numbers and side data of the frame it was made from
  std::optional<std::int64_t> pts_ns, dts_ns, duration_ns, capture_ns;
  std::optional<std::uint64_t> offset, offset_end;
  std::optional<std::uint32_t> flags;
};

class PyWriter {
 public:
  PyWriter(const std::string& stream, const std::optional<Format>& format, const WriterOptions& options);
  PyWriter(const PyWriter&) = delete;
  PyWriter& operator=(const PyWriter&) = delete;
  ~PyWriter() { close(); }

  void set_format(const Format& format);
  /// Format (`format`, or the frame's own), segment and tags of a frame.
  void follow(const PyFrame& frame, const std::optional<Format>& format);
  void set_segment(const Segment& segment);
  void set_tags(const std::string& tags);

  [[nodiscard]] PyLoan acquire(std::size_t size_bytes, std::optional<int> timeout_ms);
  void publish(PyLoan& loan, const Said& said, const pybind11::iterable& side_data);
  void write_bytes(const pybind11::object& payload, const Said& said, const pybind11::iterable& side_data,
                   std::optional<int> timeout_ms);
  void write_gap(std::int64_t pts_ns, std::int64_t duration_ns);
  void write_event(const std::string& text, std::optional<std::int64_t> pts_ns);
  void end();
  [[nodiscard]] bool drain(std::optional<int> timeout_ms);
  /// Those of `wait_for`; the first frame waits for them itself.
  void wait_for_readers();
  [[nodiscard]] bool take_key_frame_request();
  void interrupt();
  void resume();
  /// From any thread: where another one waits, that one's call ends with Error{closed}.
  void close();

  [[nodiscard]] FrameWriter& opened() const;
  /// From any thread: that of the frames acquired from now on.
  [[nodiscard]] const Format& format() const {
    (void)opened();
    return format_;
  }
  [[nodiscard]] bool closed() const noexcept { return !writer_ || closing_; }
  [[nodiscard]] const std::string& stream() const noexcept { return share_->stream; }

 private:
  class InUse;  // one call
  [[nodiscard]] std::string what() const { return "the writer of the stream \"" + stream() + "\""; }
  [[nodiscard]] Loan wait_for_slot(std::size_t size_bytes, std::optional<int> timeout_ms);
  void wait_for_declared();
  void run_writer_interruptibly(const std::function<void()>& work);
  void publish_other(std::span<const std::byte> payload, const FrameInfo& info);
  void check(WriteStatus status) const;
  void destroy();

  std::shared_ptr<WriterShare> share_;
  OfThisProcess<FrameWriter> writer_;
  Format format_;  // as set last: the writer's own is for one thread at a time
  bool waited_for_readers_ = false;
  bool interrupted_ = false;
  bool closing_ = false;  // by another thread than the one in a call
};

void bind_writer(pybind11::module_& module);

}  // namespace reel::python
