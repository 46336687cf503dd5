// client-connected and client-disconnected of reelsink: emitted in a thread of GStreamer's, one at a time, in
// the order in which readers came and went. tell() comes from threads of Reel's own and waits for nobody.
#pragma once

#include <deque>
#include <mutex>

#include <gst/gst.h>

#include <reel/channel/options.hpp>

namespace reel::gst {

class ReaderSignals {
 public:
  /// Part of the element, which lives until the last of its signals was emitted.
  explicit ReaderSignals(GstElement* element) : element_(element) {}
  ReaderSignals(const ReaderSignals&) = delete;
  ReaderSignals& operator=(const ReaderSignals&) = delete;

  void tell(const ReaderChange& change);

 private:
  static void emit_all(GstElement* element, gpointer self);
  [[nodiscard]] bool take(ReaderChange& change);

  GstElement* element_;
  std::mutex mutex_;
  std::deque<ReaderChange> changes_;
  bool emitting_ = false;
};

}  // namespace reel::gst
