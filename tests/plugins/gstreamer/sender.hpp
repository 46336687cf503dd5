// A pipeline in this process whose reelsink (name=sink) is watched: where the buffers lie that come to it,
// what it counts. And what its stream holds, picture by picture, beside what a pipeline without it makes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gst/gst.h>

#include <gtest/gtest.h>
#include <reel/channel/frame_reader.hpp>
#include <reel_test/child_process.hpp>
#include <reel_test/runtime_dir.hpp>

namespace gstreamer_test {

/// One number for each picture or buffer: a hash of what is to be seen, whatever its strides.
using Pictures = std::vector<std::uint64_t>;

/// A buffer as it came to the sink.
struct Passed {
  GstClockTime pts = GST_CLOCK_TIME_NONE;
  std::string mapping;  // the line of /proc/self/maps that its memory lies in
  std::size_t bytes = 0;
};

class Sender {
 public:
  /// `line` holds a reelsink of name=sink. Not started.
  explicit Sender(const std::string& line);
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  ~Sender();

  /// Asks for the state and waits until it is reached, a change that goes on behind excepted.
  GstStateChangeReturn to(GstState state);
  void play() { to(GST_STATE_PLAYING); }
  /// Asks for it and goes on.
  void start() { gst_element_set_state(pipeline_, GST_STATE_PLAYING); }
  void stop() { to(GST_STATE_NULL); }
  [[nodiscard]] GstElement* pipeline() const { return pipeline_; }
  [[nodiscard]] GstElement* sink() const { return sink_; }
  [[nodiscard]] GstElement* element(const char* name) const;  // borrowed: the pipeline's

  [[nodiscard]] std::vector<Passed> passed() const;
  [[nodiscard]] bool wait_for(std::size_t buffers) const;
  /// Of the sink's statistics.
  [[nodiscard]] std::uint64_t stat(const char* name) const;
  /// All of them, for messages.
  [[nodiscard]] std::string stats() const;
  /// "eos", or "error: " and what it says with its details; empty when the watchdog passed first.
  [[nodiscard]] std::string end();
  /// The next message of these types, what comes before it is dropped: as end(), with "warning: " too.
  [[nodiscard]] std::string next(GstMessageType types);
  /// An error that is on the bus already, or empty.
  [[nodiscard]] std::string error();

 private:
  static GstPadProbeReturn on_buffer(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  [[nodiscard]] std::string text_of(GstMessage* message) const;

  GstElement* pipeline_ = nullptr;
  GstElement* sink_ = nullptr;
  mutable std::mutex mutex_;
  std::vector<Passed> passed_;
};

/// Reads a stream in a thread of its own until its end.
class Watcher {
 public:
  /// `paused`: it joins and takes the first frame, no more before resume().
  explicit Watcher(const std::string& stream, const reel::ReaderOptions& options = lossless(),
                   bool paused = false);
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher();

  [[nodiscard]] static reel::ReaderOptions lossless();
  /// It reads no more than the frame it waits for, holding none.
  void pause();
  void resume();
  [[nodiscard]] bool wait_for(std::size_t frames) const;
  /// "ended", or another status that nothing follows; empty when the watchdog passed first.
  [[nodiscard]] std::string end();
  [[nodiscard]] Pictures pictures() const;
  [[nodiscard]] std::vector<std::string> caps() const;  // as they changed
  [[nodiscard]] std::vector<std::int64_t> pts_ns() const;

 private:
  void run();

  reel::FrameReader reader_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool paused_ = false;
  std::atomic<bool> stopped_{false};
  std::string end_;
  Pictures pictures_;
  std::vector<std::string> caps_;
  std::vector<std::int64_t> pts_ns_;
  std::thread thread_;
};

/// What LINE makes, seen at a fakesink put behind it.
[[nodiscard]] Pictures plain(const std::string& line);
/// One number for all of them.
[[nodiscard]] std::uint64_t hash_of(const Pictures& pictures);
[[nodiscard]] std::uint64_t hash_of(GstBuffer* buffer, const GstCaps* caps);
[[nodiscard]] std::uint64_t hash_of(const reel::Frame& frame);

/// A process that watches `stream` losslessly to its end; watched() waits for it and is hash_of() its
/// pictures.
[[nodiscard]] reel_test::ChildProcess start_watching(const std::string& stream);
[[nodiscard]] std::uint64_t watched(reel_test::ChildProcess& process, std::size_t expected);

/// GStreamer set up, a runtime directory and a stream of its own for each test.
class SinkTest : public ::testing::Test {
 protected:
  SinkTest();
  [[nodiscard]] const std::string& stream() const { return stream_; }
  /// " ! reelsink" of this stream that does not wait for the clock.
  [[nodiscard]] std::string sink(const std::string& more = {}) const {
    return " ! reelsink name=sink sync=false stream=" + stream_ + " " + more;
  }
  /// Pictures that all differ.
  [[nodiscard]] static std::string pictures(int count,
                                            const std::string& caps = "format=NV12,width=320,height=240") {
    return "videotestsrc pattern=ball animation-mode=frames num-buffers=" + std::to_string(count) +
           " ! video/x-raw,framerate=100/1," + caps;
  }
  void expect_clean_end(Sender& sender) { EXPECT_EQ(sender.end(), "eos"); }

  reel_test::TempRuntimeDir runtime_;

 private:
  const std::string stream_ = reel_test::unique_name("sink");
};

}  // namespace gstreamer_test
