// Tag events as the text of a stream's tags and back: a line for the tags of the stream, as
// gst_tag_list_to_string() writes them, and one behind "global " for those of the whole. Single-thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gst/gst.h>

#include <reel/format/records.hpp>

namespace reel::gst {

struct FreeTags {
  void operator()(GstTagList* tags) const noexcept { gst_tag_list_unref(tags); }
};
using TagsPtr = std::unique_ptr<GstTagList, FreeTags>;

class TagText {
 public:
  /// A stream begins: it has none.
  void clear();
  /// Into what is known of their scope; a tag's new value replaces the one it had.
  void merge(const GstTagList* tags);

  struct Written {
    Tags text;
    std::vector<std::string> left_out;  // names of tags that a record has no room for: images first, then the
                                        // longest
  };
  [[nodiscard]] Written write() const;

 private:
  TagsPtr stream_, global_;
};

/// A tag event for each scope; none for text that is no tags of GStreamer's. Owned by the caller.
[[nodiscard]] std::vector<GstEvent*> tag_events(std::string_view text);

}  // namespace reel::gst
