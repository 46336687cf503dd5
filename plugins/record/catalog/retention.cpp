#include "catalog/retention.hpp"

#include <algorithm>
#include <limits>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/quantity.hpp>
#include <reel/base/text.hpp>

#include "catalog/recorded_age.hpp"
#include "catalog/segment_name.hpp"

namespace record {

namespace {

constexpr std::int64_t kDay_ns = 86'400'000'000'000;

std::string about_text(const RetentionRule& rule) {
  const std::string what = rule.kind ? std::string(to_string(*rule.kind)) + " segments" : "all segments";
  return rule.recording.empty() ? what : what + " of '" + rule.recording + "'";
}

class Plan {
 public:
  Plan(const std::vector<SegmentRecord>& segments, std::uint64_t free_bytes, std::int64_t now_utc_ns)
      : ordered_(in_order(segments)),
        reasons_(ordered_.size()),
        free_bytes_(free_bytes),
        now_utc_ns_(now_utc_ns) {}

  void apply(const RetentionRule& rule) {
    if (rule.max_age_ns > 0) by_age(rule);
    if (rule.max_bytes > 0) by_bytes(rule);
    if (rule.min_free > 0) by_free(rule);
  }

  [[nodiscard]] std::vector<Removal> removals() const {
    std::vector<Removal> all;
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
      if (!reasons_[i].empty())
        all.push_back({ordered_[i]->path, reasons_[i], ordered_[i]->bytes, ordered_[i]->kind});
    }
    return all;
  }

 private:
  [[nodiscard]] bool is_about(const RetentionRule& rule, std::size_t i) const {
    const SegmentRecord& segment = *ordered_[i];
    if (!rule.recording.empty() && segment.recording != rule.recording) return false;
    return rule.kind ? segment.kind == *rule.kind : segment.kind != SegmentClass::protected_;
  }
  [[nodiscard]] bool may_go(const RetentionRule& rule, std::size_t i) const {
    return reasons_[i].empty() && ordered_[i]->state != SegmentState::open && is_about(rule, i);
  }
  void take(std::size_t i, const std::string& reason) {
    reasons_[i] = reason;
    free_bytes_ += ordered_[i]->bytes;
  }

  void by_age(const RetentionRule& rule) {
    const std::int64_t most = std::numeric_limits<std::int64_t>::max() - kDay_ns;
    const std::int64_t longest_step_ns = std::min(rule.max_age_ns, most) + kDay_ns;
    const std::vector<std::int64_t> ages = recorded_ages(ordered_, longest_step_ns, now_utc_ns_);
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
      if (ages[i] > rule.max_age_ns && may_go(rule, i))
        take(i, "older than max_age " + reel::duration_text(rule.max_age_ns) + " of " + about_text(rule) +
                    ": it ended " + utc_text(ordered_[i]->end_utc_ns));
    }
  }

  void by_bytes(const RetentionRule& rule) {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < ordered_.size(); ++i) {
      if (reasons_[i].empty() && is_about(rule, i)) total += ordered_[i]->bytes;
    }
    for (std::size_t i = 0; i < ordered_.size() && total > rule.max_bytes; ++i) {
      if (!may_go(rule, i)) continue;
      take(i, about_text(rule) + " are " + reel::bytes_text(total) + ", max_bytes is " +
                  reel::bytes_text(rule.max_bytes));
      total -= ordered_[i]->bytes;
    }
  }

  void by_free(const RetentionRule& rule) {
    for (std::size_t i = 0; i < ordered_.size() && free_bytes_ < rule.min_free; ++i) {
      if (may_go(rule, i))
        take(i, "the disk has " + reel::bytes_text(free_bytes_) + " free, min_free of " + about_text(rule) +
                    " is " + reel::bytes_text(rule.min_free));
    }
  }

  std::vector<const SegmentRecord*> ordered_;
  std::vector<std::string> reasons_;  // of each that goes; empty: it stays
  std::uint64_t free_bytes_;          // with what is planned done
  std::int64_t now_utc_ns_;
};

/// False when somebody protected it, or it went, since the plan was made.
bool still_as_planned(const Catalog& catalog, const Removal& removal) {
  const std::optional<SegmentRecord> now = catalog.get(removal.path);
  return now && now->kind == removal.kind;
}

}  // namespace

std::vector<Removal> plan_removals(const std::vector<SegmentRecord>& segments,
                                   const std::vector<RetentionRule>& rules, std::uint64_t free_bytes,
                                   std::int64_t now_utc_ns) {
  Plan plan(segments, free_bytes, now_utc_ns);
  for (const RetentionRule& rule : rules) plan.apply(rule);
  return plan.removals();
}

RetentionResult apply_retention(Catalog& catalog, const std::vector<RetentionRule>& rules,
                                std::int64_t now_utc_ns, bool dry_run) {
  catalog.refresh();
  const std::vector<SegmentRecord> segments = catalog.outlines();
  RetentionResult result;
  for (Removal& removal : plan_removals(segments, rules, catalog.store().free_bytes(), now_utc_ns)) {
    try {
      if (!dry_run && (!still_as_planned(catalog, removal) || !catalog.remove(removal.path, removal.reason)))
        continue;
      result.bytes += removal.bytes;
      result.removed.push_back(std::move(removal));
    } catch (const reel::Error& failure) {
      result.failures.emplace_back(failure.what());
      reel::log_warning("retention: " + result.failures.back());
    }
  }
  return result;
}

}  // namespace record
