// What follows the source in a playback's pipeline: for each connected output a chain that ends in an
// appsink, and what decodes or parses in front of it. Built and asked by the stage's thread; pads are linked
// by GStreamer's.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <gst/app/gstappsink.h>

#include <reel/base/error.hpp>
#include <reel/gst/pointers.hpp>
#include <reel/gst/stream_slots.hpp>

#include "wanted.hpp"

namespace capture {

/// What the decoded outputs are to be given; "own": as the decoder has it.
struct Conversion {
  std::string pixel;
  std::string sample;
  std::int64_t rate_hz = 0;   // 0: own
  std::int64_t channels = 0;  // 0: own
};

/// How frames come to an appsink.
enum class Pace {
  readers,         // as fast as they are taken from it
  clock,           // when they are due, or later: whoever is slow holds the source up
  clip_as_camera,  // when they are due; what is not taken in time is dropped
  camera           // as they come from the source; what is not taken in time is dropped
};

class Branches {
 public:
  /// Adds the chains to `pipeline`, which owns them and must outlive this. `on_failure` is called by
  /// GStreamer's threads when a branch cannot be built. Throws reel::Error{unsupported} when an element is
  /// missing.
  Branches(GstElement* pipeline, const Wanted& wanted, const Conversion& conversion, Pace pace,
           std::function<void()> on_failure);
  Branches(const Branches&) = delete;
  Branches& operator=(const Branches&) = delete;

  /// Leads what comes from `pad`, raw or encoded, to the chains that want it; a second track of the same kind
  /// to none. Thread-safe.
  void link(GstPad* pad) noexcept;
  /// Throws what link() could not.
  void rethrow() const;

  /// nullptr when the output is not wanted. Owned by the pipeline.
  [[nodiscard]] GstAppSink* sink(Media media) const noexcept {
    return GST_APP_SINK_CAST(chains_[media].sink);
  }
  /// True when the output is not wanted, or something was linked to it.
  [[nodiscard]] bool fed(Media media) const noexcept {
    return chains_[media].entry == nullptr || chains_[media].fed.load(std::memory_order_relaxed);
  }
  /// CLOCK_MONOTONIC at which the last frame came from the source; 0 before the first.
  [[nodiscard]] std::int64_t arrived_ns(Media media) const noexcept {
    return chains_[media].arrived_ns.load(std::memory_order_relaxed);
  }
  /// Frames that have come from the source.
  [[nodiscard]] std::uint64_t arrived(Media media) const noexcept {
    return chains_[media].arrived.load(std::memory_order_relaxed);
  }
  /// Of a camera: frames that were not taken in time.
  [[nodiscard]] std::uint64_t dropped(Media media) const noexcept {
    return chains_[media].dropped.load(std::memory_order_relaxed);
  }

 private:
  struct Chain {
    GstElement* entry = nullptr;  // a queue; both belong to the pipeline
    GstElement* sink = nullptr;
    std::atomic<bool> fed{false};
    std::atomic<std::int64_t> arrived_ns{0};  // statistics, which order nothing
    std::atomic<std::uint64_t> arrived{0};
    std::atomic<std::uint64_t> dropped{0};
  };

  void add_chain(Media media, const std::vector<const char*>& factories, const std::string& caps_text);
  void set_sink(Media media) noexcept;
  void set_queue(Media media) noexcept;
  static GstPadProbeReturn on_buffer(GstPad* pad, GstPadProbeInfo* info, gpointer chain);
  [[nodiscard]] GstElement* add(const char* factory);
  [[nodiscard]] bool take(Media media) noexcept;
  void link_pads(GstPad* pad, Chain& chain);
  void link_encoded(GstPad* pad, const GstStructure& structure, bool video);
  void feed_parser(GstPad* pad, const GstStructure& structure, Chain& chain);
  void feed_decoder(GstPad* pad);
  void fail(const reel::Error& error);

  static void on_decoded(GstElement* element, GstPad* pad, gpointer self);

  GstElement* pipeline_;
  const Pace pace_;
  std::function<void()> on_failure_;
  PerMedia<Chain> chains_;
  mutable std::mutex mutex_;
  std::optional<reel::Error> failure_;
};

}  // namespace capture
