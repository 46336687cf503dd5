// A media file, through GStreamer's uridecodebin. Single-thread.
#pragma once

#include "source.hpp"

namespace capture {

class FileSource : public Source {
 public:
  /// `uri`: a path, or file:// with the characters that URIs do not allow as %XX. Throws Error{bad_config}
  /// for a malformed one.
  explicit FileSource(const std::string& uri);

  void check() const override;
  [[nodiscard]] reel::gst::Ptr<GstElement> make_element(const Wanted& wanted) const override;
  [[nodiscard]] std::string defect() const override;

 private:
  std::string path_;
};

}  // namespace capture
