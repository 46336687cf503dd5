// What is removed so that a disk never fills, and why. plan_removals() says it; apply_retention() does it.
// Thread-safe.
//
// Age is not told by the wall clock alone: segments are laid on a line in the order in which they were begun
// (SegmentRecord::sequence). A step of the wall clock between two of them, or from the newest to now, that is
// longer than the rule's age and a day, or goes back by more than an hour, is a clock that was wrong or a
// recorder that was off: it ages nothing. So a clock that jumps ahead by years deletes nothing, and what was
// recorded under a wrong clock is as old as what was recorded beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/index.hpp"
#include "catalog/segment.hpp"

namespace record {

/// What it is about: segments of one recording or all, of one class or (nullopt) both continuous and event;
/// protected ones only where `kind` says so. Limits of 0 are none.
struct RetentionRule {
  std::string recording{};  // empty: all in the directory
  std::optional<SegmentClass> kind{};
  std::int64_t max_age_ns = 0;  // since their end
  std::uint64_t max_bytes = 0;  // of all that it is about, open ones counted
  std::uint64_t min_free = 0;   // of the disk, to this user
};

struct Removal {
  std::string path;
  std::string reason;  // "older than max_age 7d of continuous: ended 2026-11-14T07:31:16.345Z"
  std::uint64_t bytes = 0;
  SegmentClass kind = SegmentClass::continuous;
};

/// In the order in which they go: oldest first. Never an open one. Reads no more of the index than what goes
/// and what is next.
[[nodiscard]] std::vector<Removal> plan_removals(const Index& index, const std::vector<RetentionRule>& rules,
                                                 std::uint64_t free_bytes, std::int64_t now_utc_ns);

struct RetentionResult {
  std::vector<Removal> removed;  // or, in a dry run, what would be
  std::uint64_t bytes = 0;
  std::vector<std::string> failures;  // messages: one that cannot be removed does not keep the others
};
/// Plans and removes, by a catalog that is fresh (see there); each removal is logged with its reason.
RetentionResult apply_retention(Catalog& catalog, const std::vector<RetentionRule>& rules,
                                std::int64_t now_utc_ns, bool dry_run = false);

}  // namespace record
