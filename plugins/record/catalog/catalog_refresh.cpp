// How Catalog keeps its index right.
#include <algorithm>
#include <cerrno>
#include <map>

#include <fcntl.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

#include "catalog/catalog.hpp"
#include "catalog/file_calls.hpp"
#include "catalog/segment_name.hpp"

namespace record {

namespace {

constexpr const char* kFile = "index.sqlite";
constexpr const char* kLock = ".index.lock";
// Names that change within one tick of the kernel's clock leave a directory's time the same: one that has
// just changed is looked through again.
constexpr std::int64_t kSettled_ns = 2'000'000'000;

/// Held while a damaged index is replaced, so that no two processes replace each other's.
class ReplacementLock {
 public:
  explicit ReplacementLock(const std::string& path)
      : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666)) {
    if (!file_) fail_file(errno, "making the lock of the index", path);
    (void)lock_file(file_, /*wait=*/true, path);
  }

 private:
  reel::UniqueFd file_;
};

}  // namespace

void Catalog::with_index(const std::function<void(Index&)>& action) const {
  const std::lock_guard lock(mutex_);
  if (!index_ || !index_->current()) {
    store_.check();  // else an index would be made where the disk was
    (void)open_index(/*damaged=*/false);
  }
  try {
    return action(*index_);
  } catch (const IndexDamaged& damage) {
    reel::log_warning(store_.whole_path(kFile) + ": " + damage.what() +
                      "; it is made anew from the manifests");
    (void)open_index(/*damaged=*/true);
  } catch (const IndexUnusable& refusal) {
    (void)use_memory(refusal.what());
  }
  action(*index_);
}

Catalog::Changes Catalog::open_index(bool damaged) const {
  try {
    open_file(damaged);
    return look_through();
  } catch (const IndexDamaged& damage) {
    return use_memory(damage.what());
  } catch (const IndexUnusable& refusal) {
    return use_memory(refusal.what());
  } catch (const reel::Error& refusal) {  // of the lock
    return use_memory(refusal.what());
  }
}

void Catalog::open_file(bool damaged) const {
  const std::string file = store_.whole_path(kFile);
  const ReplacementLock lock(store_.whole_path(kLock));
  if (damaged && index_ && index_->current()) Index::remove_file(file);
  index_.reset();
  try {
    index_.emplace(file);
  } catch (const IndexDamaged& damage) {
    reel::log_warning(file + ": " + damage.what() + "; it is made anew from the manifests");
    Index::remove_file(file);
    index_.emplace(file);
  }
}

Catalog::Changes Catalog::use_memory(const std::string& why) const {
  reel::log_debug(store_.whole_path(kFile) + ": " + why +
                  "; the index is kept in memory until it can be written");
  index_.emplace(Index::kInMemory);
  return look_through();
}

Catalog::Changes Catalog::look_through() const {
  Changes changes;
  const std::vector<std::string> days = store_.days();
  for (const std::string& day : days) {
    const std::optional<std::int64_t> modified_ns = store_.day_modified_ns(day);
    if (!modified_ns || modified_ns != index_->day_modified_ns(day))
      look_through_day(day, modified_ns, changes);
  }
  for (const std::string& day : index_->days()) {
    if (!std::binary_search(days.begin(), days.end(), day)) look_through_day(day, std::nullopt, changes);
  }
  return changes;
}

void Catalog::look_through_day(const std::string& day, std::optional<std::int64_t> modified_ns,
                               Changes& changes) const {
  Index::Transaction transaction(*index_);
  std::map<std::string, Found> known;
  for (Found& row : index_->rows_of(day)) known.emplace(row.path, row);
  for (const Found& found : store_.segments_of(day)) {
    ++changes.seen;
    const auto row = known.find(found.path);
    const bool same = row != known.end() && row->second == found;
    if (row != known.end()) known.erase(row);
    if (same) continue;
    index_->put(store_.read(found), found.manifest);
    ++changes.read;
  }
  for (const auto& [path, row] : known) index_->remove(path);
  changes.dropped += known.size();
  const bool settled = modified_ns && reel::realtime_ns() - *modified_ns > kSettled_ns;
  index_->set_day(day, settled ? modified_ns : std::nullopt);
  transaction.commit();
}

Catalog::Changes Catalog::refresh() {
  store_.check();
  return with_index(
      [this](Index& index) { return index.in_memory() ? open_index(/*damaged=*/false) : look_through(); });
}

Catalog::Changes Catalog::reindex(const Probe& probe) {
  store_.check();
  if (probe) make_manifests(probe);
  return with_index([this](Index&) { return open_index(/*damaged=*/true); });
}

void Catalog::make_manifests(const Probe& probe) const {
  for (const std::string& day : store_.days()) {
    for (const Found& found : store_.segments_of(day)) {
      if (found.open || store_.has_manifest(found)) continue;
      SegmentRecord record = store_.read(found);
      place(record);
      try {
        probe(store_.whole_path(found.path), record);
        store_.save(record);
      } catch (const reel::Error& failure) {
        reel::log_warning(std::string(failure.what()) + "; " + found.path + " is left without a manifest");
      }
    }
  }
}

void Catalog::place(SegmentRecord& record) const {
  const std::optional<SegmentRecord> known = newest(record.recording);
  if (!known) return;
  const std::int64_t length_ns = record.end_ns - record.start_ns;
  record.start_ns = known->start_ns + (record.start_utc_ns - known->start_utc_ns);
  record.end_ns = record.start_ns + length_ns;
}

}  // namespace record
