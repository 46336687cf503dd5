// Which segments a request is about.
#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

#include <reel/base/error.hpp>

#include "catalog/segment_name.hpp"
#include "tool/actions.hpp"

namespace record {

namespace {

/// The path below the directory that `text` means: that itself, the whole one, or the file's name alone.
std::string path_of(const Catalog& catalog, const std::string& text) {
  const std::string inside = catalog.store().directory() + "/";
  const std::string whole = std::filesystem::absolute(text).lexically_normal().string();
  std::vector<std::string> meant{text};
  if (whole.starts_with(inside)) meant.push_back(whole.substr(inside.size()));
  if (const auto name = segment_name_from(text); name && text.find('/') == std::string::npos)
    meant.push_back(to_path(*name));  // it says the day
  const auto found = std::find_if(meant.begin(), meant.end(),
                                  [&](const std::string& path) { return catalog.get(path).has_value(); });
  if (found == meant.end())
    throw reel::Error(reel::ErrorCode::not_found,
                      "there is no segment '" + text + "' in " + catalog.store().directory() +
                          "; `reel recordings ls` lists them",
                      "recordings");
  return *found;
}

}  // namespace

std::vector<SegmentRecord> chosen(const Catalog& catalog, const Request& request) {
  if (request.segments.empty()) return catalog.find(request.query);
  std::set<std::string> paths;
  for (const std::string& text : request.segments) paths.insert(path_of(catalog, text));
  std::vector<SegmentRecord> all;
  for (const std::string& path : paths) {
    Query query = request.query;
    query.path = path;
    for (SegmentRecord& each : catalog.find(query)) all.push_back(std::move(each));
  }
  std::sort(all.begin(), all.end(), [](const SegmentRecord& a, const SegmentRecord& b) {
    return std::tie(a.start_utc_ns, a.path) < std::tie(b.start_utc_ns, b.path);
  });
  return all;
}

void for_chosen(const Catalog& catalog, const Request& request,
                const std::function<void(const SegmentRecord&)>& action) {
  constexpr std::size_t kAtOnce = 500;
  if (!request.segments.empty()) {
    for (const SegmentRecord& each : chosen(catalog, request)) action(each);
    return;
  }
  Query query = request.query;
  query.most = kAtOnce;
  for (;;) {
    const std::vector<SegmentRecord> some = catalog.find(query);
    for (const SegmentRecord& each : some) action(each);
    if (some.size() < kAtOnce) return;
    query.after_utc_ns = some.back().start_utc_ns;
    query.after_path = some.back().path;
  }
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
