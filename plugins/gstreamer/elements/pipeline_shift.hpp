// By how much all live reelsrcs of one pipeline deliver later than their frames' own times say. Shared by
// them, so that what one must be moved by keeps all in sync. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>

#include <gst/gst.h>

namespace reel::gst {

/// One element's share. The shift begins at 0, only grows, and is 0 again once every element of the pipeline
/// has left.
class PipelineShift {
 public:
  PipelineShift() = default;
  /// Of the pipeline that `element` is in now.
  explicit PipelineShift(GstElement* element);

  [[nodiscard]] std::int64_t ns() const noexcept;
  /// At least `ns` from now on, for everyone.
  void raise_to(std::int64_t ns) noexcept;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  // every element of the pipeline has a share
};

}  // namespace reel::gst
