// The end of a muxer: its bytes, each with the place where it wants them, into a ByteSink. Made and destroyed
// by the thread that has the Mux; called by the muxer's.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include <reel/gst/pointers.hpp>

#include "mux.hpp"

namespace record {

class MuxOutput {
 public:
  /// `on_end`: the muxer has written its end. `on_failure` is given what the sink said. Both are called by
  /// the muxer's thread.
  MuxOutput(ByteSink& sink, std::function<void()> on_end, std::function<void(int)> on_failure);
  MuxOutput(const MuxOutput&) = delete;
  MuxOutput& operator=(const MuxOutput&) = delete;
  /// REQUIRES: the muxer is stopped.
  ~MuxOutput();

  /// The sink is asked for nothing more: it may go before this does.
  void detach();
  /// It is with the sink now, which may take its time.
  [[nodiscard]] bool writing() const noexcept { return writing_.load(std::memory_order_relaxed); }

  /// REQUIRES: `muxer` has a pad "src" that goes nowhere yet.
  void attach(GstElement* muxer);
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

 private:
  static GstFlowReturn on_buffer(GstPad* pad, GstObject* parent, GstBuffer* buffer);
  static gboolean on_event(GstPad* pad, GstObject* parent, GstEvent* event);
  static gboolean on_query(GstPad* pad, GstObject* parent, GstQuery* query);
  GstFlowReturn write(GstBuffer* buffer);

  std::mutex mutex_;
  ByteSink* sink_;  // guarded by mutex_; nullptr: detached
  std::function<void()> on_end_;
  std::function<void(int)> on_failure_;
  reel::gst::Ptr<GstPad> pad_;
  std::uint64_t place_ = 0;              // the muxer's thread's
  bool failed_ = false;                  // the muxer's thread's
  std::atomic<bool> writing_{false};     // the same as bytes_
  std::atomic<std::uint64_t> bytes_{0};  // a number to look at; nothing hangs on its order
};

}  // namespace record
