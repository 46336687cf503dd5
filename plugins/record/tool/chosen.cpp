// Which segments a request is about.
#include <algorithm>
#include <filesystem>

#include <reel/base/error.hpp>

#include "catalog/segment_name.hpp"
#include "tool/actions.hpp"

namespace record {

namespace {

/// The path below the directory that `text` means: that itself, the whole one, or the file's name alone.
std::string path_of(const Catalog& catalog, const std::string& text, const std::vector<SegmentRecord>& all) {
  const std::string& directory = catalog.store().directory();
  const std::string whole = std::filesystem::absolute(text).lexically_normal().string();
  const auto is_meant = [&](const SegmentRecord& each) {
    return each.path == text || directory + "/" + each.path == whole ||
           std::filesystem::path(each.path).filename() == text;
  };
  const auto found = std::find_if(all.begin(), all.end(), is_meant);
  if (found == all.end())
    throw reel::Error(
        reel::ErrorCode::not_found,
        "there is no segment '" + text + "' in " + directory + "; `reel recordings ls` lists them",
        "recordings");
  return found->path;
}

}  // namespace

std::vector<SegmentRecord> chosen(const Catalog& catalog, const Request& request) {
  std::vector<SegmentRecord> found = catalog.find(request.query);
  if (request.segments.empty()) return found;
  const std::vector<SegmentRecord> all = catalog.outlines();
  std::vector<std::string> paths;
  for (const std::string& text : request.segments) paths.push_back(path_of(catalog, text, all));
  std::erase_if(found, [&](const SegmentRecord& each) {
    return std::find(paths.begin(), paths.end(), each.path) == paths.end();
  });
  return found;
}

bool is_of_event(const SegmentRecord& segment) {
  const std::optional<SegmentName> name = segment_name_from(segment.path);
  return name && name->event;
}

std::string segments_text(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " segment" : " segments");
}

std::vector<SegmentRecord> chosen_by_word(const Catalog& catalog, const Request& request) {
  if (request.segments.empty() && !request.filtered)
    throw reel::Error(
        reel::ErrorCode::bad_argument,
        request.action +
            ": name segments, or say --recording, --from, --to, --class, --event, --label or --stream",
        "recordings");
  return chosen(catalog, request);
}

}  // namespace record
