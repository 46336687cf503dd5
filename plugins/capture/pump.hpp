// The thread that carries one output's frames from its appsink into its stream, and its readers' wishes for a
// key frame the other way, so that a slow reader of one output stops that output alone. Made, asked and
// joined by the stage's thread.
#pragma once

#include "publisher.hpp"

#include <atomic>
#include <exception>
#include <functional>
#include <thread>

#include <gst/app/gstappsink.h>

namespace capture {

class Pump {
 public:
  /// Starts at once. `on_end` is called by the pump's thread as its last act. Everything given must outlive
  /// the pump.
  Pump(Publisher& publisher, GstAppSink* sink, std::function<void()> on_end);
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;
  /// Stops and joins.
  ~Pump();

  /// True once the thread will publish nothing more.
  [[nodiscard]] bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }
  /// REQUIRES: ended(). True when it ended because the stage is to stop, not because the media did.
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }
  /// REQUIRES: ended(). Throws what ended it, if something did.
  void rethrow() const;

 private:
  void run() noexcept;
  void carry();
  void ask_for_key_frame() noexcept;

  Publisher& publisher_;
  GstAppSink* sink_;
  std::function<void()> on_end_;
  std::atomic<bool> quit_{false};  // set by the destructor, seen by the thread; carries nothing else
  std::atomic<bool> ended_{
      false};  // SYNC pump.ended: release after failure_ and stopped_, acquire in ended()
  bool stopped_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace capture
