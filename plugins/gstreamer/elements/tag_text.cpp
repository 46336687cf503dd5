#include "tag_text.hpp"

#include <utility>

#include <reel/gst/pointers.hpp>

namespace reel::gst {
namespace {

constexpr std::string_view kGlobal = "global ";

TagsPtr merged(const TagsPtr& known, const GstTagList* more) {
  TagsPtr all(gst_tag_list_merge(known.get(), more, GST_TAG_MERGE_REPLACE));
  return all;
}

std::string text_of(const TagsPtr& tags) {
  if (!tags || gst_tag_list_is_empty(tags.get()) != FALSE) return {};
  const Text text(gst_tag_list_to_string(tags.get()));
  return text.get();
}

std::string both(const TagsPtr& stream, const TagsPtr& global) {
  std::string text = text_of(stream);
  const std::string whole = text_of(global);
  if (whole.empty()) return text;
  if (!text.empty()) text += '\n';
  return text.append(kGlobal).append(whole);
}

struct Longest {
  GstTagList* list = nullptr;
  std::string tag;
  std::size_t bytes = 0;  // of its text; images count as longer than any text
};

void look_for_longest(Longest& longest, GstTagList* tags) {
  for (gint i = 0; tags != nullptr && i < gst_tag_list_n_tags(tags); ++i) {
    const gchar* tag = gst_tag_list_nth_tag_name(tags, i);
    std::size_t bytes = gst_tag_get_type(tag) == GST_TYPE_SAMPLE ? G_MAXSIZE : 0;
    for (guint at = 0; bytes != G_MAXSIZE && at < gst_tag_list_get_tag_size(tags, tag); ++at) {
      const Text text(gst_value_serialize(gst_tag_list_get_value_index(tags, tag, at)));
      bytes += text ? std::string_view(text.get()).size() : 0;
    }
    if (bytes > longest.bytes || longest.list == nullptr) longest = {tags, tag, bytes};
  }
}

GstEvent* event_of(const std::string& text, GstTagScope scope) {
  if (!text.starts_with("taglist")) return nullptr;  // tags of Reel's own
  GstTagList* tags = gst_tag_list_new_from_string(text.c_str());
  if (tags == nullptr) return nullptr;
  gst_tag_list_set_scope(tags, scope);
  return gst_event_new_tag(tags);
}

}  // namespace

void TagText::clear() {
  stream_.reset();
  global_.reset();
}

void TagText::merge(const GstTagList* tags) {
  TagsPtr& known = gst_tag_list_get_scope(tags) == GST_TAG_SCOPE_GLOBAL ? global_ : stream_;
  known = merged(known, tags);
}

TagText::Written TagText::write() const {
  const TagsPtr stream(stream_ ? gst_tag_list_copy(stream_.get()) : nullptr);
  const TagsPtr global(global_ ? gst_tag_list_copy(global_.get()) : nullptr);
  Written written{both(stream, global), {}};
  while (written.text.size() > kMaxTagsBytes) {
    Longest longest;
    look_for_longest(longest, stream.get());
    look_for_longest(longest, global.get());
    if (longest.list == nullptr) break;
    gst_tag_list_remove_tag(longest.list, longest.tag.c_str());
    written.left_out.push_back(std::move(longest.tag));
    written.text = both(stream, global);
  }
  return written;
}

std::vector<GstEvent*> tag_events(std::string_view text) {
  std::vector<GstEvent*> events;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const bool global = line.starts_with(kGlobal);
    if (global) line.remove_prefix(kGlobal.size());
    GstEvent* event = event_of(std::string(line), global ? GST_TAG_SCOPE_GLOBAL : GST_TAG_SCOPE_STREAM);
    if (event != nullptr) events.push_back(event);
  }
  return events;
}

}  // namespace reel::gst
