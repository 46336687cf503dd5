// How Catalog keeps its index right.
#include <algorithm>
#include <cerrno>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>

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
constexpr std::int64_t kFresh_ns = 30'000'000'000;

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
    index_.emplace(open_file(damaged));
    return look_through(*index_);
  } catch (const IndexDamaged& damage) {
    if (!damaged) return open_index(/*damaged=*/true);
    index_.reset();
    return use_memory(damage.what());
  } catch (const IndexUnusable& refusal) {
    return use_memory(refusal.what());
  } catch (const reel::Error& refusal) {  // of the lock
    return use_memory(refusal.what());
  }
}

Index Catalog::open_file(bool damaged) const {
  const std::string file = store_.whole_path(kFile);
  const ReplacementLock lock(store_.whole_path(kLock));
  if (damaged) {
    if (index_ && index_->current()) Index::remove_file(file);
    index_.reset();
  }
  // Emptied by somebody, it would keep us waiting for those who have it open: as a file that is not there it
  // does not. One that is just being made is under this lock.
  if (struct stat facts{}; ::stat(file.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size == 0)
    Index::remove_file(file);
  try {
    return Index(file);
  } catch (const IndexDamaged& damage) {
    reel::log_warning(file + ": " + damage.what() + "; it is made anew from the manifests");
    Index::remove_file(file);
    return Index(file);
  }
}

std::optional<Catalog::Changes> Catalog::leave_memory() const {
  try {
    Index file = open_file(/*damaged=*/false);
    const Changes changes = look_through(file);
    index_.emplace(std::move(file));
    reel::log_debug(store_.whole_path(kFile) + ": it can be written again");
    return changes;
  } catch (const IndexDamaged&) {
    return open_index(/*damaged=*/true);
  } catch (const std::runtime_error&) {  // IndexUnusable, an Error of the lock
    return std::nullopt;
  }
}

Catalog::Changes Catalog::use_memory(const std::string& why) const {
  reel::log_debug(store_.whole_path(kFile) + ": " + why +
                  "; the index is kept in memory until it can be written");
  std::optional<Index> copy;
  try {
    // What cannot be written can be read as a rule: to be told by manifests alone takes far longer.
    if (index_ && index_->current() && !index_->in_memory()) copy = index_->copy_in_memory();
  } catch (const std::runtime_error&) {
  }
  index_.reset();
  index_ = copy ? std::move(copy) : std::optional<Index>(Index::kInMemory);
  return look_through(*index_);
}

Catalog::Changes Catalog::look_through(Index& index) const {
  Changes changes;
  const std::vector<std::string> days = store_.days();
  for (const std::string& day : days) {
    const std::optional<std::int64_t> modified_ns = store_.day_modified_ns(day);
    if (!modified_ns || modified_ns != index.day_modified_ns(day))
      look_through_day(index, day, modified_ns, changes);
  }
  for (const std::string& day : index.days()) {
    if (!std::binary_search(days.begin(), days.end(), day))
      look_through_day(index, day, std::nullopt, changes);
  }
  return changes;
}

void Catalog::look_through_day(Index& index, const std::string& day, std::optional<std::int64_t> modified_ns,
                               Changes& changes) const {
  Index::Transaction transaction(index);
  std::map<std::string, Found> known;
  for (Found& row : index.rows_of(day)) known.emplace(row.path, row);
  std::vector<std::pair<SegmentRecord, Found>> unplaced;
  for (const Found& found : store_.segments_of(day)) {
    ++changes.seen;
    const auto row = known.find(found.path);
    const bool same = row != known.end() && row->second == found;
    if (row != known.end()) known.erase(row);
    if (same) continue;
    SegmentRecord record = store_.read(found);
    ++changes.read;
    if (record.sequence == 0) {
      unplaced.emplace_back(std::move(record), found);
    } else {
      index.put(record, found.manifest);
    }
  }
  // They go by their times among the rest.
  for (const auto& [record, found] : unplaced) index.put(record, found.manifest);
  for (const auto& [path, row] : known) index.remove(path);
  changes.dropped += known.size();
  const bool settled = modified_ns && reel::realtime_ns() - *modified_ns > kSettled_ns;
  index.set_day(day, settled ? modified_ns : std::nullopt);
  transaction.commit();
}

Catalog::Changes Catalog::refresh() {
  store_.check();
  const Changes changes = with_index([this](Index& index) {
    const std::optional<Changes> left = index.in_memory() ? leave_memory() : std::nullopt;
    return left ? *left : look_through(*index_);
  });
  refreshed_ns_ = reel::monotonic_ns();
  return changes;
}

void Catalog::keep_fresh() {
  if (reel::monotonic_ns() - refreshed_ns_ > kFresh_ns) (void)refresh();
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
