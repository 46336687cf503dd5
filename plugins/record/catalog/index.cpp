#include "catalog/index.hpp"

#include <algorithm>
#include <limits>

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/base/error.hpp>

#include "catalog/index_tables.hpp"

namespace record {

namespace {

constexpr int kPatienceMs = 10'000;  // with other processes that write

/// Wall clock of a media time in the segment. Unsigned: a manifest may say any times.
std::int64_t utc_of(const SegmentRecord& record, std::int64_t media_ns) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(record.start_utc_ns) +
                                   static_cast<std::uint64_t>(media_ns) -
                                   static_cast<std::uint64_t>(record.start_ns));
}

std::string day_of(const std::string& path) {
  return path.substr(0, path.find('/'));
}

}  // namespace

void Index::Close::operator()(sqlite3* database) const noexcept {
  sqlite3_close_v2(database);
}

Index::Index(const std::string& file) : file_(file) {
  open_file();
  make_tables();
}

void Index::open_file() {
  sqlite3* database = nullptr;
  const int result = sqlite3_open_v2(
      file_.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(database);
  if (result != SQLITE_OK) fail_index(database);
  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_timeout(database, kPatienceMs);
  if (sqlite3_db_readonly(database, "main") == 1) throw IndexUnusable("it may only be read");
  struct stat facts {};
  if (!in_memory() && ::stat(file_.c_str(), &facts) == 0) {
    device_ = facts.st_dev;
    inode_ = facts.st_ino;
  }
}

void Index::make_tables() {
  // NORMAL: a power cut may take the last changes, never the file; they are in the manifests. A checkpoint
  // each 250 pages (1 MB) instead of 1000: a small disk has no room for more beside the index.
  for (const char* setting :
       {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", "PRAGMA foreign_keys=ON",
        "PRAGMA cell_size_check=ON", "PRAGMA wal_autocheckpoint=250"})
    prepare(setting).run();
  const auto version = [this] {
    Statement asked = prepare("PRAGMA user_version");
    return asked.step() ? asked.integer(0) : 0;
  };
  if (version() == kIndexVersion) return;
  Transaction transaction(*this);
  const std::int64_t found = version();
  if (found != 0 && found != kIndexVersion)
    throw IndexDamaged("it is of version " + std::to_string(found) + ", this program's are of version " +
                       std::to_string(kIndexVersion));
  if (found == 0) {
    for (const char* sql : kIndexTables) prepare(sql).run();
  }
  transaction.commit();
}

Index Index::copy_in_memory() const {
  Index copy(kInMemory);
  sqlite3_backup* backup = sqlite3_backup_init(copy.database_.get(), "main", database_.get(), "main");
  if (backup == nullptr) fail_index(copy.database_.get());
  (void)sqlite3_backup_step(backup, -1);
  if (sqlite3_backup_finish(backup) != SQLITE_OK) fail_index(copy.database_.get());
  return copy;
}

void Index::remove_file(const std::string& file) {
  for (const char* beside : {"", "-wal", "-shm", "-journal"}) ::unlink((file + beside).c_str());
}

bool Index::current() const {
  if (in_memory()) return true;
  struct stat facts {};
  return ::stat(file_.c_str(), &facts) == 0 && facts.st_dev == device_ && facts.st_ino == inode_;
}

Statement Index::prepare(std::string_view sql) const {
  return {database_.get(), *statements_, sql};
}

void Index::put(const SegmentRecord& record, const std::optional<ManifestStamp>& manifest) {
  Transaction transaction(*this);
  const Placed place = place_for(record);
  prepare("DELETE FROM segment WHERE path = ?").bind(record.path).run();  // and, by its keys, its parts
  Statement insert = prepare(
      "INSERT INTO segment (path, day, recording, sequence, place, stretch, kind, state, start_utc_ns, "
      "end_utc_ns, bytes, manifest_ns, manifest_bytes, manifest) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind(record.path).bind(day_of(record.path)).bind(record.recording).bind(record.sequence);
  insert.bind(place.key.place).bind(place.stretch);
  insert.bind(to_string(record.kind)).bind(to_string(record.state));
  insert.bind(record.start_utc_ns).bind(record.end_utc_ns).bind(record.bytes);
  insert.bind(manifest ? std::optional(manifest->modified_ns) : std::nullopt);
  insert.bind(manifest ? std::optional(manifest->bytes) : std::nullopt);
  insert.bind(to_json(record)).run();
  put_parts(record);
  transaction.commit();
}

void Index::put_parts(const SegmentRecord& record) {
  for (const Track& track : record.tracks)
    prepare("INSERT INTO track (path, stream, media, codec, frames) VALUES (?, ?, ?, ?, ?)")
        .bind(record.path)
        .bind(track.stream)
        .bind(track.media)
        .bind(track.codec)
        .bind(track.frames)
        .run();
  for (const Gap& gap : record.gaps)
    prepare(
        "INSERT INTO gap (path, stream, start_utc_ns, end_utc_ns, frames, reason) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(record.path)
        .bind(gap.stream)
        .bind(utc_of(record, gap.start_ns))
        .bind(utc_of(record, gap.end_ns))
        .bind(gap.frames)
        .bind(gap.reason)
        .run();
  for (const EventMark& mark : record.events)
    prepare(
        "INSERT INTO event (path, id, kind, start_utc_ns, end_utc_ns, score, note, picture) VALUES (?, ?, ?, "
        "?, ?, ?, ?, ?)")
        .bind(record.path)
        .bind(mark.id)
        .bind(mark.kind)
        .bind(utc_of(record, mark.start_ns))
        .bind(utc_of(record, mark.end_ns))
        .bind(mark.score)
        .bind(mark.note)
        .bind(mark.picture)
        .run();
  for (const Sighting& sighting : record.sightings)
    prepare(
        "INSERT INTO sighting (path, stream, type, name, label, count, highest, first_utc_ns, last_utc_ns) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(record.path)
        .bind(sighting.stream)
        .bind(sighting.type)
        .bind(sighting.name)
        .bind(sighting.label)
        .bind(sighting.count)
        .bind(sighting.highest)
        .bind(utc_of(record, sighting.first_ns))
        .bind(utc_of(record, sighting.last_ns))
        .run();
}

std::vector<SegmentRecord> Index::records(Statement& statement) const {
  std::vector<SegmentRecord> all;
  while (statement.step()) {
    try {
      all.push_back(segment_from_json(statement.text(0), "a row"));
    } catch (const reel::Error& error) {
      throw IndexDamaged(error.what());
    }
  }
  return all;
}

std::vector<SegmentRecord> Index::find(const Query& query) const {
  std::string sql =
      "SELECT manifest FROM segment WHERE (end_utc_ns >= ? OR state = 'open') AND start_utc_ns < ? "
      "AND (start_utc_ns, path) > (?, ?)";
  std::vector<std::string> texts;
  const auto also = [&](const char* condition, const std::string& text) {
    if (text.empty()) return;
    sql += condition;
    texts.push_back(text);
  };
  also(" AND path = ?", query.path);
  also(" AND recording = ?", query.recording);
  also(" AND kind = ?", query.kind ? std::string(to_string(*query.kind)) : std::string());
  also(" AND state = ?", query.state ? std::string(to_string(*query.state)) : std::string());
  also(" AND path IN (SELECT path FROM track WHERE stream = ?)", query.stream);
  also(" AND path IN (SELECT path FROM event WHERE kind = ?)", query.event);
  also(" AND path IN (SELECT path FROM sighting WHERE label = ?)", query.label);
  if (!query.with_open) sql += " AND state <> 'open'";
  sql += query.newest_first ? " ORDER BY place DESC, start_utc_ns DESC, path DESC"
                            : " ORDER BY start_utc_ns, path";
  sql += " LIMIT ?";
  Statement statement = prepare(sql);
  statement.bind(query.from_utc_ns).bind(query.to_utc_ns).bind(query.after_utc_ns).bind(query.after_path);
  for (const std::string& text : texts) statement.bind(text);
  statement.bind(
      static_cast<std::int64_t>(std::min<std::size_t>(query.most, std::numeric_limits<std::int64_t>::max())));
  return records(statement);
}

std::optional<SegmentRecord> Index::newest(const std::string& recording) const {
  Statement statement = prepare(
      "SELECT manifest FROM segment WHERE recording = ? AND state <> 'open' "
      "AND EXISTS (SELECT 1 FROM track WHERE track.path = segment.path) "
      "ORDER BY sequence DESC, start_utc_ns DESC LIMIT 1");
  const std::vector<SegmentRecord> found = records(statement.bind(recording));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::optional<SegmentRecord> Index::get(const std::string& path) const {
  Statement statement = prepare("SELECT manifest FROM segment WHERE path = ?");
  const std::vector<SegmentRecord> found = records(statement.bind(path));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::uint64_t Index::highest_sequence() const {
  Statement statement = prepare("SELECT max(place) FROM segment");
  return statement.step() ? statement.count(0) : 0;
}

std::vector<Found> Index::rows_of(const std::string& day) const {
  Statement statement =
      prepare("SELECT path, state = 'open', manifest_ns, manifest_bytes FROM segment WHERE day = ?");
  statement.bind(day);
  std::vector<Found> rows;
  while (statement.step()) {
    Found& row = rows.emplace_back(Found{statement.text(0), statement.integer(1) != 0, std::nullopt});
    if (!statement.is_null(2)) row.manifest = ManifestStamp{statement.integer(2), statement.count(3)};
  }
  return rows;
}

std::vector<std::string> Index::days() const {
  // From one day to the next, not through all segments.
  Statement statement = prepare(
      "WITH RECURSIVE of_segments (day) AS (SELECT min(day) FROM segment UNION ALL "
      "SELECT (SELECT min(day) FROM segment WHERE day > of_segments.day) FROM of_segments "
      "WHERE of_segments.day IS NOT NULL) "
      "SELECT day FROM day UNION SELECT day FROM of_segments WHERE day IS NOT NULL ORDER BY day");
  std::vector<std::string> days;
  while (statement.step()) days.push_back(statement.text(0));
  return days;
}

std::optional<std::int64_t> Index::day_modified_ns(const std::string& day) const {
  Statement statement = prepare("SELECT modified_ns FROM day WHERE day = ?");
  return statement.bind(day).step() ? std::optional(statement.integer(0)) : std::nullopt;
}

void Index::set_day(const std::string& day, std::optional<std::int64_t> modified_ns) {
  if (modified_ns) {
    prepare("INSERT OR REPLACE INTO day (day, modified_ns) VALUES (?, ?)").bind(day).bind(*modified_ns).run();
  } else {
    prepare("DELETE FROM day WHERE day = ?").bind(day).run();
  }
}

Index::Transaction::Transaction(Index& index)
    : index_(index), done_(sqlite3_get_autocommit(index.database_.get()) == 0) {
  if (!done_) index_.prepare("BEGIN IMMEDIATE").run();
}

Index::Transaction::~Transaction() {
  // Ignoring the result: the transaction may have been rolled back by what failed in it.
  if (!done_) sqlite3_exec(index_.database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Index::Transaction::commit() {
  if (done_) return;
  index_.prepare("COMMIT").run();
  done_ = true;
}

}  // namespace record
