// A pipeline in this process whose reelsrc (name=source) is watched: what leaves it, in order, events
// included, and what it says on the bus.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include <gst/gst.h>

#include <gtest/gtest.h>
#include <reel/channel/frame_writer.hpp>
#include <reel_test/runtime_dir.hpp>

namespace gstreamer_test {

/// A buffer, or an event by its type's name ("caps", "segment", "gap", ...).
struct Left {
  std::string what;  // "buffer", or the event's type
  std::string text;  // an event's structure
  GstClockTime pts = GST_CLOCK_TIME_NONE, dts = GST_CLOCK_TIME_NONE, duration = GST_CLOCK_TIME_NONE;
  std::int64_t running_ns = 0;  // by the segment in force
  std::uint64_t offset = 0;
  std::size_t bytes = 0;
  int first_byte = -1;
  bool discont = false, corrupted = false, delta = false, header = false;
};

class Player {
 public:
  /// `line` holds a reelsrc of name=source. Not started.
  explicit Player(const std::string& line);
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;
  ~Player();

  GstStateChangeReturn to(GstState state);
  void play() { to(GST_STATE_PLAYING); }
  void stop() { to(GST_STATE_NULL); }

  [[nodiscard]] GstElement* pipeline() const { return pipeline_; }
  [[nodiscard]] GstElement* source() const { return source_; }
  [[nodiscard]] GstElement* element(const char* name) const;  // borrowed: the pipeline's

  [[nodiscard]] std::vector<Left> left() const;
  [[nodiscard]] std::vector<Left> buffers() const;
  [[nodiscard]] std::size_t count(const std::string& what) const;
  [[nodiscard]] bool wait_for(std::size_t buffers) const;
  /// What has left so far: for long runs.
  void forget();
  [[nodiscard]] std::uint64_t stat(const char* name) const;

  /// The next message of `types`, as text ("eos", "error: WHAT DETAILS", "warning: ...", else the type's name
  /// and structure); empty when the watchdog passed.
  [[nodiscard]] std::string message(GstMessageType types);
  [[nodiscard]] std::string end() {
    return message(static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  }
  /// The same without waiting.
  [[nodiscard]] std::string message_there_is(GstMessageType types);

 private:
  static GstPadProbeReturn on_data(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  void note_buffer(GstBuffer* buffer);
  void note_event(GstEvent* event);
  std::string text_of(GstMessage* message);

  GstElement* pipeline_ = nullptr;
  GstElement* source_ = nullptr;
  GstSegment segment_{};
  mutable std::mutex mutex_;
  std::vector<Left> left_;
};

/// A runtime directory and a stream of its own for each test, GStreamer set up, and writers in this process.
class SourceTest : public ::testing::Test {
 protected:
  SourceTest() { set_up_gstreamer(); }
  static constexpr std::uint32_t kWidth = 16, kHeight = 8;
  static constexpr std::size_t kFrameBytes = kWidth * kHeight * 3 / 2;

  [[nodiscard]] const std::string& stream() const { return stream_; }
  [[nodiscard]] std::string src(const std::string& more = {}) const {
    return "reelsrc name=source stream=" + stream_ + " " + more;
  }
  /// Plays into a sink that takes buffers as they come.
  [[nodiscard]] std::string into_sink(const std::string& more = {}) const {
    return src(more) + " ! fakesink name=out sync=false";
  }
  [[nodiscard]] static reel::Format picture(std::uint32_t width = kWidth, std::uint32_t height = kHeight) {
    return reel::VideoFormat{reel::PixelFormat::NV12, width, height, {100, 1}};
  }
  /// Every byte is `value`.
  static void write(reel::FrameWriter& writer, int value, const reel::FrameInfo& info = {});
  static bool wait_for_readers(const reel::FrameWriter& writer, std::size_t count = 1);

  reel_test::TempRuntimeDir runtime_;

 private:
  static void set_up_gstreamer();
  const std::string stream_ = reel_test::unique_name("src");
};

}  // namespace gstreamer_test
