// Where the media come from: one subclass a kind of URI. A source makes the element that a playback puts into
// its pipeline; it knows nothing of outputs. Single-thread; used by the stage's thread.
#pragma once

#include <memory>
#include <string>

#include <reel/gst/pointers.hpp>
#include <reel/stage/options.hpp>

namespace capture {

/// The outputs that the pipeline connects.
struct Wanted {
  bool video = false;
  bool audio = false;
  bool audio_optional = false;  // a source without sound is none the worse for it
};

class Source {
 public:
  explicit Source(std::string uri) : uri_(std::move(uri)) {}
  virtual ~Source() = default;

  /// As messages name it.
  [[nodiscard]] const std::string& uri() const noexcept { return uri_; }

  /// Looks before a pipeline is built for it, so that the message can be a plain one. Throws reel::Error.
  virtual void check() const {}

  /// A bin with source pads of raw video and audio, there already or added later ("pad-added", then
  /// "no-more-pads"). Throws Error{unsupported} naming the Debian package of an element that is missing.
  [[nodiscard]] virtual reel::gst::Ptr<GstElement> make_element(const Wanted& wanted) const = 0;

  /// What is wrong with the media themselves, as far as can be told from outside: "it is truncated: ...".
  /// Empty: nothing.
  [[nodiscard]] virtual std::string defect() const { return {}; }

 private:
  std::string uri_;
};

/// By the scheme of the option `uri`. Throws reel::Error{bad_config} for one that no source is for, or
/// options that do not apply to it.
[[nodiscard]] std::unique_ptr<Source> make_source(const reel::Options& options);

}  // namespace capture
