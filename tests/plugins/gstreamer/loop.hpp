// One stream whose both ends are in this process, so that a test decides on every buffer and event that goes
// in, and sees everything that comes out, in order. Single-thread, as the test is.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gst/gst.h>

#include <reel/gst/pointers.hpp>

namespace gstreamer_test {

template <typename Object>
using Ptr = reel::gst::Ptr<Object>;

/// A pad of the test's own before a playing reelsink.
class Feeder {
 public:
  /// `properties` as in a launch line: "side-data-bytes=65536".
  explicit Feeder(const std::string& stream, const std::string& properties = {});
  Feeder(const Feeder&) = delete;
  Feeder& operator=(const Feeder&) = delete;
  ~Feeder();

  /// Stream start, caps and a segment that begins at 0. False when the caps were refused.
  bool begin(const std::string& caps);
  bool caps(const std::string& caps);
  /// The event is taken.
  bool send(GstEvent* event);
  GstFlowReturn push(Ptr<GstBuffer> buffer);
  void end();

  [[nodiscard]] GstElement* sink() const { return sink_; }
  [[nodiscard]] GstStructure* stats() const;
  /// Message and details of an error on the bus; empty when there is none.
  [[nodiscard]] std::string error() const;

 private:
  GstElement* pipeline_ = nullptr;
  GstElement* sink_ = nullptr;
  GstPad* pad_ = nullptr;
};

/// "reelsrc ! fakesink": what went over the pad between them.
class Collector {
 public:
  explicit Collector(const std::string& stream, const std::string& properties = "policy=lossless");
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  ~Collector();

  /// True when there are so many; false when the watchdog passed first.
  [[nodiscard]] bool wait_for_buffers(std::size_t count) const;
  [[nodiscard]] bool wait_for_event(GstEventType type, std::size_t count = 1) const;
  /// References of the collector's.
  [[nodiscard]] std::vector<GstBuffer*> buffers() const;
  [[nodiscard]] std::vector<GstEvent*> events(GstEventType type) const;
  /// "buffer" and the names of event types, in order.
  [[nodiscard]] std::vector<std::string> order() const;
  [[nodiscard]] std::string error() const;

 private:
  static GstPadProbeReturn on_item(GstPad* pad, GstPadProbeInfo* info, gpointer self);

  GstElement* pipeline_ = nullptr;
  mutable std::mutex mutex_;
  std::vector<GstMiniObject*> items_;
};

/// `bytes` bytes that count up from `first`.
[[nodiscard]] Ptr<GstBuffer> counting(std::size_t bytes, unsigned first = 0);
[[nodiscard]] std::string bytes_of(GstBuffer* buffer);

}  // namespace gstreamer_test
