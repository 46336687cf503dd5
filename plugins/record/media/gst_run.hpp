// A GStreamer pipeline of ours and what went wrong in it, kept from its threads for ours. Made, started and
// destroyed by one thread.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include <reel/gst/pointers.hpp>

namespace record {

class GstRun {
 public:
  /// `on_failure` is called by a thread of the pipeline, after failure() says something; it may not block.
  explicit GstRun(std::function<void()> on_failure);
  GstRun(const GstRun&) = delete;
  GstRun& operator=(const GstRun&) = delete;
  /// Stops; throws away what is inside.
  ~GstRun();

  /// Puts a new element in. Throws as reel::gst::new_element() does. The pipeline owns it.
  GstElement* add(const char* factory);
  /// Elements from launch text, as one with a pad "sink" and a pad "src". Throws reel::Error{unsupported}.
  GstElement* add_text(const std::string& launch);
  /// REQUIRES: they were added. Throws reel::Error{internal} where they do not fit.
  void link(GstElement* from, GstElement* to);

  [[nodiscard]] GstElement* pipeline() const noexcept { return pipeline_.get(); }
  void play();
  void stop() noexcept;

  /// The first thing that went wrong; empty: nothing.
  [[nodiscard]] std::string failure() const;
  /// The first thing that an element complained of and went on; empty: nothing.
  [[nodiscard]] std::string warning() const;
  /// What only a caller of ours can see (a descriptor that cannot be written).
  void fail(std::string_view reason);

 private:
  static GstBusSyncReply on_message(GstBus* bus, GstMessage* message, gpointer self);

  std::function<void()> on_failure_;
  mutable std::mutex mutex_;
  std::string failure_;  // guarded by mutex_
  std::string warning_;  // guarded by mutex_
  reel::gst::Ptr<GstElement> pipeline_;
};

}  // namespace record
