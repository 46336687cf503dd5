#include "catalog/retention.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <unordered_set>

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

/// A time so long before another, at the earliest the first that there is.
std::int64_t before(std::int64_t time_ns, std::int64_t by_ns) {
  std::int64_t made_ns = 0;
  return __builtin_sub_overflow(time_ns, by_ns, &made_ns) ? std::numeric_limits<std::int64_t>::min()
                                                          : made_ns;
}

/// Of several recordings and classes, the one that was begun first first.
class OldestFirst {
 public:
  struct Next {
    Outline outline;
    const Total* group;
  };
  OldestFirst(const Index& index, const std::vector<const Total*>& groups) {
    for (const Total* group : groups) {
      lines_.push_back({Index::Oldest(index, *group), group, std::nullopt});
      lines_.back().next = lines_.back().from.next();
    }
  }
  [[nodiscard]] std::optional<Next> next() {
    Line* first = nullptr;
    for (Line& line : lines_) {
      if (line.next && (first == nullptr || key(*line.next) < key(*first->next))) first = &line;
    }
    if (first == nullptr) return std::nullopt;
    Next found{std::move(*first->next), first->group};
    first->next = first->from.next();
    return found;
  }

  static std::tuple<const std::int64_t&, const std::int64_t&, const std::string&> key(
      const Outline& outline) {
    return std::tie(outline.place, outline.start_utc_ns, outline.path);
  }

 private:
  struct Line {
    Index::Oldest from;
    const Total* group;
    std::optional<Outline> next;
  };
  std::vector<Line> lines_;
};

class Plan {
 public:
  Plan(const Index& index, std::uint64_t free_bytes, std::int64_t now_utc_ns)
      : index_(index), totals_(index.totals()), free_bytes_(free_bytes), now_utc_ns_(now_utc_ns) {}

  void apply(const RetentionRule& rule) {
    if (rule.max_age_ns > 0) by_age(rule);
    if (rule.max_bytes > 0) by_bytes(rule);
    if (rule.min_free > 0) by_free(rule);
  }

  [[nodiscard]] std::vector<Removal> removals() {
    std::sort(taken_.begin(), taken_.end(), [](const Taken& a, const Taken& b) {
      return OldestFirst::key(a.outline) < OldestFirst::key(b.outline);
    });
    std::vector<Removal> all;
    for (const Taken& each : taken_)
      all.push_back({each.outline.path, each.reason, each.outline.bytes, each.group->kind});
    return all;
  }

 private:
  struct Taken {
    Outline outline;
    const Total* group;
    std::string reason;
  };

  [[nodiscard]] std::vector<const Total*> groups_of(const RetentionRule& rule) const {
    std::vector<const Total*> all;
    for (const Total& group : totals_) {
      if (!rule.recording.empty() && group.recording != rule.recording) continue;
      if (rule.kind ? group.kind == *rule.kind : group.kind != SegmentClass::protected_)
        all.push_back(&group);
    }
    return all;
  }
  [[nodiscard]] bool is_taken(const Outline& outline) const { return paths_.contains(outline.path); }
  void take(Outline outline, const Total* group, std::string reason) {
    free_bytes_ += outline.bytes;
    bytes_taken_[group] += outline.bytes;
    paths_.insert(outline.path);
    taken_.push_back({std::move(outline), group, std::move(reason)});
  }

  void by_age(const RetentionRule& rule) {
    const std::int64_t most = std::numeric_limits<std::int64_t>::max() - kDay_ns;
    const std::int64_t longest_step_ns = std::min(rule.max_age_ns, most) + kDay_ns;
    const std::vector<Stretch> stretches = index_.stretches();
    const std::vector<std::int64_t> clocks = clocks_now(stretches, longest_step_ns, now_utc_ns_);
    for (const Total* group : groups_of(rule)) {
      for (std::size_t i = 0; i < stretches.size(); ++i) {
        const std::int64_t until_ns = before(clocks[i], rule.max_age_ns);
        for (Outline& each : index_.begun_before(*group, stretches[i].number, until_ns)) {
          const std::int64_t end_ns = believable_end(each.start_utc_ns, each.end_utc_ns, longest_step_ns);
          if (end_ns >= until_ns || is_taken(each)) continue;
          std::string reason = "older than max_age " + reel::duration_text(rule.max_age_ns) + " of " +
                               about_text(rule) + ": it ended " + utc_text(each.end_utc_ns);
          take(std::move(each), group, std::move(reason));
        }
      }
    }
  }

  void by_bytes(const RetentionRule& rule) {
    const std::vector<const Total*> groups = groups_of(rule);
    std::uint64_t total = 0;
    for (const Total* group : groups) total += group->bytes - bytes_taken_[group];
    if (total <= rule.max_bytes) return;
    OldestFirst oldest(index_, groups);
    while (total > rule.max_bytes) {
      std::optional<OldestFirst::Next> next = oldest.next();
      if (!next) return;
      if (is_taken(next->outline)) continue;
      const std::uint64_t bytes = next->outline.bytes;
      take(std::move(next->outline), next->group,
           about_text(rule) + " are " + reel::bytes_text(total) + ", max_bytes is " +
               reel::bytes_text(rule.max_bytes));
      total -= bytes;
    }
  }

  void by_free(const RetentionRule& rule) {
    if (free_bytes_ >= rule.min_free) return;
    OldestFirst oldest(index_, groups_of(rule));
    while (free_bytes_ < rule.min_free) {
      std::optional<OldestFirst::Next> next = oldest.next();
      if (!next) return;
      if (is_taken(next->outline)) continue;
      take(std::move(next->outline), next->group,
           "the disk has " + reel::bytes_text(free_bytes_) + " free, min_free of " + about_text(rule) +
               " is " + reel::bytes_text(rule.min_free));
    }
  }

  const Index& index_;
  std::vector<Total> totals_;
  std::vector<Taken> taken_;
  std::unordered_set<std::string> paths_;  // of these
  std::map<const Total*, std::uint64_t> bytes_taken_;
  std::uint64_t free_bytes_;  // with what is planned done
  std::int64_t now_utc_ns_;
};

/// True when somebody protected it, or released it, since the plan was made.
bool is_of_another_class(const Catalog& catalog, const Removal& removal) {
  const std::optional<Found> found = catalog.store().look_up(removal.path);
  return found && found->manifest && catalog.store().read(*found).kind != removal.kind;
}

}  // namespace

std::vector<Removal> plan_removals(const Index& index, const std::vector<RetentionRule>& rules,
                                   std::uint64_t free_bytes, std::int64_t now_utc_ns) {
  Plan plan(index, free_bytes, now_utc_ns);
  for (const RetentionRule& rule : rules) plan.apply(rule);
  return plan.removals();
}

RetentionResult apply_retention(Catalog& catalog, const std::vector<RetentionRule>& rules,
                                std::int64_t now_utc_ns, bool dry_run) {
  catalog.keep_fresh();
  const std::uint64_t free_bytes = catalog.store().free_bytes();
  std::vector<Removal> removals;
  catalog.look([&](const Index& index) { removals = plan_removals(index, rules, free_bytes, now_utc_ns); });
  RetentionResult result;
  for (Removal& removal : removals) {
    try {
      if (!dry_run &&
          (is_of_another_class(catalog, removal) || !catalog.remove(removal.path, removal.reason)))
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
