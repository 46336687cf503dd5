// Where the media come from: one subclass a kind of URI. A source makes the element that a playback puts into
// its pipeline; it knows nothing of outputs. Single-thread; used by the stage's thread.
#pragma once

#include <memory>
#include <string>

#include <reel/base/error.hpp>
#include <reel/gst/pointers.hpp>
#include <reel/stage/options.hpp>

#include "wanted.hpp"

namespace capture {

class Source {
 public:
  explicit Source(std::string shown) : shown_(std::move(shown)) {}
  virtual ~Source() = default;

  /// As messages name it: without passwords.
  [[nodiscard]] const std::string& uri() const noexcept { return shown_; }

  /// A camera, a microphone, a screen: it waits for nobody, may be away, and is reconnected to. Anything else
  /// is a clip, which has a beginning and an end.
  [[nodiscard]] virtual bool is_camera() const noexcept { return false; }

  /// Looks before a pipeline is built for it, so that the message can be a plain one. Throws reel::Error; for
  /// a camera that is not there (now) with another code than bad_config and unsupported.
  virtual void check() const {}

  /// A bin with source pads of raw video and audio, there already or added later ("pad-added", then
  /// "no-more-pads"); of encoded ones where those are wanted, and where a device gives no others. Throws
  /// Error{unsupported} naming the Debian package of an element that is missing.
  [[nodiscard]] virtual reel::gst::Ptr<GstElement> make_element(const Wanted& wanted) const = 0;

  /// What is wrong with the media themselves, as far as can be told from outside: "it is truncated: ...".
  /// Empty: nothing.
  [[nodiscard]] virtual std::string defect() const { return {}; }

  /// The error to throw for an ERROR message other than of a missing plugin.
  [[nodiscard]] virtual reel::Error error_of(GstMessage* message) const;
  /// `text` of GStreamer's, as it may be shown.
  [[nodiscard]] virtual std::string cleaned(std::string text) const { return text; }

 private:
  std::string shown_;
};

/// By the scheme of the option `uri`. Throws reel::Error{bad_config} for one that no source is for, or
/// options that do not apply to it.
[[nodiscard]] std::unique_ptr<Source> make_source(const reel::Options& options);

}  // namespace capture
