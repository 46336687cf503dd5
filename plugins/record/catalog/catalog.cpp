#include "catalog/catalog.hpp"

#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

#include "catalog/file_calls.hpp"
#include "catalog/segment_name.hpp"

namespace record {

namespace {

[[noreturn]] void refuse_open(const std::string& path, const std::string& what) {
  throw reel::Error(reel::ErrorCode::in_use, "it is being written: " + what + " when it is finished", path);
}

}  // namespace

Catalog::Catalog(const StoreOptions& options) : store_(options) {
  refresh();
}

OpenSegment Catalog::begin(SegmentRecord& record) {
  record.state = SegmentState::open;
  record.sequence = with_index([](Index& index) { return index.highest_sequence(); }) + 1;
  OpenSegment open = store_.begin(record);
  record.path = open.path;
  try {
    save(record);
  } catch (const reel::Error&) {
    ::unlink(open.file.c_str());
    throw;
  }
  return open;
}

void Catalog::save(const SegmentRecord& record) {
  store_.save(record);
  put(record);
}

void Catalog::finish(SegmentRecord& record) {
  store_.finish(record);
  put(record);
}

void Catalog::discard(const std::string& path, const std::string& reason) {
  if (exists(store_.whole_path(path))) {
    // What is finished has this name: the rest is of that one.
    ::unlink(store_.whole_path(open_path_of(path)).c_str());
    return;
  }
  if (const std::optional<Found> found = store_.look_up(path)) (void)store_.remove(*found, reason);
  forget(path);
}

std::vector<Abandoned> Catalog::abandoned(const std::string& recording) {
  refresh();
  Query left;
  left.recording = recording;
  left.state = SegmentState::open;
  std::vector<Abandoned> all;
  for (const SegmentRecord& each : find(left)) {
    const std::optional<Found> found = store_.look_up(each.path);
    if (!found || !found->open) continue;
    Abandoned& left_open = all.emplace_back();
    left_open.file = store_.whole_path(open_path_of(each.path));
    left_open.record = store_.read(*found);
    left_open.manifest = store_.has_manifest(*found);
    if (!left_open.manifest) place(left_open.record);
  }
  return all;
}

std::vector<SegmentRecord> Catalog::find(const Query& query) const {
  return with_index([&](const Index& index) { return index.find(query); });
}

std::optional<SegmentRecord> Catalog::get(const std::string& path) const {
  return with_index([&](const Index& index) { return index.get(path); });
}

void Catalog::look(const std::function<void(const Index&)>& question) const {
  with_index(std::function<void(Index&)>([&](Index& index) { question(index); }));
}

std::optional<SegmentRecord> Catalog::newest(const std::string& recording) const {
  return with_index([&](const Index& index) { return index.newest(recording); });
}

bool Catalog::remove(const std::string& path, const std::string& reason) {
  const std::optional<Found> found = store_.look_up(path);
  if (found && found->open) refuse_open(path, "it can be removed");
  const bool removed = found && store_.remove(*found, reason);
  forget(path);
  return removed;
}

void Catalog::protect(const std::string& path, bool on) {
  const std::optional<Found> found = store_.look_up(path);
  if (!found)
    throw reel::Error(reel::ErrorCode::not_found, "there is no such segment in " + store_.directory(), path);
  if (found->open) refuse_open(path, "it can be protected");
  SegmentRecord record = store_.read(*found);
  const SegmentClass otherwise =
      segment_name_from(path)->event ? SegmentClass::event : SegmentClass::continuous;
  record.kind = on ? SegmentClass::protected_ : otherwise;
  store_.save(record);
  sync_file(store_.whole_path(manifest_path_of(path)));
  put(record);
}

void Catalog::put(const SegmentRecord& record) {
  with_index([&](Index& index) {
    const std::optional<Found> found = store_.look_up(record.path);
    index.put(record, found ? found->manifest : std::nullopt);
  });
}

void Catalog::forget(const std::string& path) {
  with_index([&](Index& index) { index.remove(path); });
}

}  // namespace record
