// reel.Reader of Python. Private to the module; called with the GIL held, which every wait lets go.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <pybind11/pybind11.h>

#include <reel/channel/frame_reader.hpp>

#include "frame.hpp"
#include "use.hpp"

namespace reel::python {

class PyReader {
 public:
  PyReader(const std::string& stream, const ReaderOptions& options);

  /// The next frame, gaps and events included; none when `timeout_ms` passed (none: as long as it takes).
  /// Throws Error and StatusError for every other end of the wait, error_already_set for a signal.
  [[nodiscard]] std::optional<PyFrame> read(std::optional<int> timeout_ms);
  /// The next picture or sound; throws pybind11::stop_iteration at the end and when interrupted.
  [[nodiscard]] PyFrame next();
  [[nodiscard]] bool prepare_wait();
  /// From any thread: while another one reads, as it was when that one last looked about.
  [[nodiscard]] ReaderStats stats() const;
  [[nodiscard]] bool connected() const;
  /// From any thread: where another one reads, it asks as soon as it looks about. False when there is no
  /// writer.
  [[nodiscard]] bool request_key_frame();
  /// From any thread, as interrupt(): where another one reads, that one's call ends with Error{closed}.
  void close();

  /// Throws Error{closed} after close(), Error{unsupported} in a forked child.
  [[nodiscard]] FrameReader& opened() const;
  [[nodiscard]] bool closed() const noexcept { return !reader_ || closing_; }
  [[nodiscard]] const std::string& stream() const noexcept { return stream_; }

 private:
  [[nodiscard]] std::string what() const { return "the reader of the stream \"" + stream_ + "\""; }
  [[noreturn]] void throw_status(ReadStatus status) const;
  void destroy();
  void look_about(FrameReader& reader);

  std::string stream_;
  std::uint32_t max_pins_;
  bool in_use_ = false;
  bool closing_ = false;           // by another thread than the one that reads
  bool key_frame_wanted_ = false;  // the same
  bool connected_ = false;         // these two when the reader was used last: it is for one thread at a time
  ReaderStats stats_;
  OfThisProcess<FrameReader> reader_;
};

void bind_reader(pybind11::module_& module);

}  // namespace reel::python
