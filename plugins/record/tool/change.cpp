// What changes recordings: `protect`, `rm`, `retain`, `reindex`.
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/text.hpp>

#include "json_output.hpp"
#include "tool/actions.hpp"
#include "tool/probed.hpp"

namespace record {

namespace {

/// What was done to each, as it goes on; as JSON at the end.
class Report {
 public:
  explicit Report(const Request& request) : request_(request) {}
  void done(const char* what, const SegmentRecord& segment) { say(what, segment.path, segment.bytes, {}); }
  void done(const char* what, const Removal& removal) {
    say(what, removal.path, removal.bytes, removal.reason);
  }
  void failed(const std::string& message) {
    fmt::print(stderr, "reel: {}\n", message);
    status_ = 1;
  }
  int end(const char* what) {
    if (request_.json) {
      print_json(list_);
    } else {
      fmt::print("{} {}, {}\n", so(what), segments_text(list_.size()), reel::bytes_text(bytes_));
    }
    return status_;
  }

 private:
  [[nodiscard]] std::string so(const char* what) const {
    return request_.dry_run ? std::string("would have ") + what : what;
  }
  void say(const char* what, const std::string& path, std::uint64_t bytes, const std::string& reason) {
    list_.push_back({{"path", path}, {"bytes", bytes}, {"done", !request_.dry_run}});
    if (!reason.empty()) list_.back()["reason"] = reason;
    bytes_ += bytes;
    if (request_.json) return;
    fmt::print("{} {} ({}){}{}\n", so(what), path, reel::bytes_text(bytes), reason.empty() ? "" : ": ",
               reason);
  }

  const Request& request_;
  nlohmann::json list_ = nlohmann::json::array();
  std::uint64_t bytes_ = 0;
  int status_ = 0;
};

/// Does it to each; one that fails does not keep the others.
template <class Action>
int to_each(Catalog& catalog, const Request& request, const char* what, Action action) {
  Report report(request);
  for (const SegmentRecord& each : chosen_by_word(catalog, request)) {
    try {
      action(each);
      report.done(what, each);
    } catch (const reel::Error& failure) {
      report.failed(failure.what());
    }
  }
  return report.end(what);
}

void check_removable(const SegmentRecord& segment) {
  if (segment.kind == SegmentClass::protected_)
    throw reel::Error(reel::ErrorCode::refused, "it is protected: `reel recordings protect --off` first",
                      segment.path);
  if (segment.state == SegmentState::open)
    throw reel::Error(reel::ErrorCode::in_use, "it is being written: it can be removed when it is finished",
                      segment.path);
}

}  // namespace

int protect(Catalog& catalog, const Request& request) {
  return to_each(catalog, request, request.off ? "released" : "protected", [&](const SegmentRecord& each) {
    if (!request.dry_run) catalog.protect(each.path, !request.off);
  });
}

int remove(Catalog& catalog, const Request& request) {
  return to_each(catalog, request, "removed", [&](const SegmentRecord& each) {
    check_removable(each);
    if (!request.dry_run) (void)catalog.remove(each.path, "`reel recordings rm`");
  });
}

int retain(Catalog& catalog, const Request& request) {
  const RetentionRule& rule = request.limits;
  if (rule.max_age_ns == 0 && rule.max_bytes == 0 && rule.min_free == 0)
    throw reel::Error(reel::ErrorCode::bad_argument,
                      "retain keeps to a limit: say --max-age, --max-bytes or --min-free", "recordings");
  const RetentionResult result = apply_retention(catalog, {rule}, reel::realtime_ns(), request.dry_run);
  Report report(request);
  for (const Removal& each : result.removed) report.done("removed", each);
  for (const std::string& failure : result.failures) report.failed(failure);
  return report.end("removed");
}

int reindex(Catalog& catalog, const Request& request) {
  const Catalog::Changes changes = catalog.reindex(fill_in);
  if (request.json) {
    print_json({{"segments", changes.seen}});
  } else {
    fmt::print("the index was made anew of {}\n", segments_text(changes.seen));
  }
  return 0;
}

}  // namespace record
