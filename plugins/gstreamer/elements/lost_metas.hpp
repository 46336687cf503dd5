// How many metas of a sink's buffers could not travel, by type. Thread-safe: the streaming thread counts,
// whoever asks for `stats` reads.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <gst/gst.h>

namespace reel::gst {

class LostMetas {
 public:
  /// `type` is a meta's name: of its API ("GstVideoOverlayCompositionMetaAPI"), or of a custom meta.
  void count(std::string_view type, std::uint64_t metas = 1);
  void clear();

  [[nodiscard]] std::uint64_t total() const;
  /// A field of guint64 for each type; characters that a field's name cannot have are '_'. Owned by the
  /// caller.
  [[nodiscard]] GstStructure* by_type() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace reel::gst
