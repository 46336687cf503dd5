// reel.Frame of Python: a frame that was read, its slot pinned until the frame is released and every array of
// it has been dropped. Private to the module; called with the GIL held.
#pragma once

#include <memory>
#include <string>

#include <pybind11/pybind11.h>

#include <reel/channel/frame.hpp>

#include "use.hpp"

namespace reel::python {

class PyFrame {
 public:
  explicit PyFrame(std::unique_ptr<Frame> frame)
      : held_(std::make_shared<OfThisProcess<Frame>>(std::move(frame))) {}

  /// Throws Error{closed} after release(), Error{unsupported} in a forked child.
  [[nodiscard]] const Frame& get() const;
  /// Holds the slot for as long as it is kept.
  [[nodiscard]] const std::shared_ptr<OfThisProcess<Frame>>& held() const noexcept { return held_; }
  void release() noexcept { held_.reset(); }

 private:
  std::shared_ptr<OfThisProcess<Frame>> held_;  // shared with the arrays that look at it
};

void bind_frame(pybind11::module_& module);

}  // namespace reel::python
