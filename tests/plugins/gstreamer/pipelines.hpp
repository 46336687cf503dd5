// Pipelines for tests of the elements: a sender in a process of its own (gst-launch), a receiver in this one
// whose buffers are looked at as they come. GStreamer is set up for Reel's elements by the first of either.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include <gst/gst.h>

#include <reel_test/child_process.hpp>

namespace gstreamer_test {

/// GStreamer knows Reel's elements, in this process and in those it starts. Any number of times.
void set_up();

/// `gst-launch-1.0 LINE`, with Reel's elements.
[[nodiscard]] reel_test::ChildProcess launch(const std::string& line);

/// The line of /proc/self/maps that an address lies in.
[[nodiscard]] std::string mapping_at(const void* address);

struct Seen {
  GstClockTime pts;
  bool discont;
  std::uint64_t offset;
  std::size_t bytes;
  bool writable;        // its memory could be mapped for writing
  std::string mapping;  // the line of /proc/self/maps that its memory lies in
};

/// Plays "SOURCE ! fakesink" until the end of its life. The bus is looked at by the test's thread.
class Receiver {
 public:
  explicit Receiver(const std::string& source);
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver();

  [[nodiscard]] std::vector<Seen> seen() const;
  [[nodiscard]] bool wait_for(std::size_t buffers) const;
  /// "eos", or "error: " and what it says with its details; empty when the watchdog passed first.
  [[nodiscard]] std::string wait_for_end();
  /// Of the source's pad; empty before they are known.
  [[nodiscard]] std::string caps() const;
  [[nodiscard]] GstElement* source() const { return source_; }
  /// To NULL: returns when it is there.
  void stop();

 private:
  static void on_buffer(GstElement* sink, GstBuffer* buffer, GstPad* pad, gpointer self);

  GstElement* pipeline_ = nullptr;
  GstElement* source_ = nullptr;
  mutable std::mutex mutex_;
  std::vector<Seen> seen_;
};

}  // namespace gstreamer_test
