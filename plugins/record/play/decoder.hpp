// One track's pieces into pictures or sound, in the order in which they are shown: a decoder in threads of
// its own. Called by a lane; single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <reel/format/format.hpp>
#include <reel/gst/pointers.hpp>

#include "media/gst_run.hpp"

namespace record {

class Decoder {
 public:
  /// `caps` of what is pushed. `wanted` is what the stream was before it was recorded: what comes out has its
  /// pixel or sample format. nullopt: as the decoder gives it. Throws Error{unsupported} naming the package
  /// of a decoder that is missing.
  Decoder(const GstCaps* caps, const std::optional<reel::Format>& wanted);
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// The caps that it decodes.
  [[nodiscard]] const GstCaps* caps() const noexcept { return caps_.get(); }
  /// `time_ns`, which may lie before 0, comes out again as the sample's time_of().
  void push(const std::shared_ptr<GstBuffer>& bytes, std::int64_t time_ns);
  /// No more is pushed: what is inside comes out.
  void finish();
  /// Waits up to so long for the next one. Throws Error{protocol} where the decoder gave up.
  [[nodiscard]] reel::gst::Ptr<GstSample> pull(std::int64_t wait_ns);
  /// Media time of what was pulled; kNoTime where the decoder knows none.
  [[nodiscard]] static std::int64_t time_of(GstSample* sample) noexcept;
  /// All has come out, after finish().
  [[nodiscard]] bool over() const;
  /// Pushed less pulled: those of video that it works on, or that it could not decode.
  [[nodiscard]] std::size_t inside() const noexcept { return inside_; }
  /// Nothing comes of what is inside: it was damaged.
  void forget_inside() noexcept { inside_ = 0; }
  /// How what comes out was made of what is in the file, where that is not the same: "I420 to BGR"; empty
  /// otherwise. Known after the first sample.
  [[nodiscard]] std::string conversion() const;

 private:
  reel::gst::Ptr<GstCaps> caps_;
  GstRun run_;
  GstElement* source_ = nullptr;
  GstElement* converter_ = nullptr;
  GstElement* sink_ = nullptr;
  std::size_t inside_ = 0;
};

}  // namespace record
