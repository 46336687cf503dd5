// The order in which segments were begun, and its stretches: the part of Index that keeps and asks them.
#include <sqlite3.h>

#include "catalog/index.hpp"

namespace record {

namespace {

Outline outline_from(const Statement& row) {
  return {row.text(0), row.integer(1), row.integer(2), row.integer(3), row.count(4)};
}

}  // namespace

std::optional<Index::Placed> Index::placed(const std::string& path) const {
  Statement statement = prepare("SELECT place, start_utc_ns, stretch FROM segment WHERE path = ?");
  if (!statement.bind(path).step()) return std::nullopt;
  return Placed{{statement.integer(0), statement.integer(1), path}, statement.integer(2)};
}

std::optional<Index::Placed> Index::neighbour(const Key& key, bool after) const {
  Statement statement = prepare(
      after ? "SELECT place, start_utc_ns, path, stretch FROM segment "
              "WHERE (place, start_utc_ns, path) > (?, ?, ?) ORDER BY place, start_utc_ns, path LIMIT 1"
            : "SELECT place, start_utc_ns, path, stretch FROM segment "
              "WHERE (place, start_utc_ns, path) < (?, ?, ?) "
              "ORDER BY place DESC, start_utc_ns DESC, path DESC LIMIT 1");
  if (!statement.bind(key.place).bind(key.start_utc_ns).bind(key.path).step()) return std::nullopt;
  return Placed{{statement.integer(0), statement.integer(1), statement.text(2)}, statement.integer(3)};
}

std::int64_t Index::new_stretch() const {
  Statement statement = prepare("SELECT max(stretch) FROM segment");
  return statement.step() ? statement.integer(0) + 1 : 1;
}

/// Ends a stretch behind `last`. What is older gets the new number: of two parts the one that retention has
/// thinned out already, and each segment of it but once.
void Index::part(const Placed& last) {
  prepare("UPDATE segment SET stretch = ? WHERE stretch = ? AND (place, start_utc_ns, path) <= (?, ?, ?)")
      .bind(new_stretch())
      .bind(last.stretch)
      .bind(last.key.place)
      .bind(last.key.start_utc_ns)
      .bind(last.key.path)
      .run();
}

Index::Placed Index::place_for(const SegmentRecord& record) {
  Placed made{{static_cast<std::int64_t>(record.sequence), record.start_utc_ns, record.path}, 0};
  const std::optional<Placed> known = placed(record.path);
  if (record.sequence == 0) {
    Statement before = prepare(
        "SELECT place FROM segment WHERE (start_utc_ns, path) < (?, ?) "
        "ORDER BY start_utc_ns DESC, path DESC LIMIT 1");
    if (before.bind(record.start_utc_ns).bind(record.path).step()) made.key.place = before.integer(0);
  }
  if (known && known->key == made.key) return *known;
  if (known) remove(record.path);
  std::optional<Placed> before = neighbour(made.key, /*after=*/false);
  const std::optional<Placed> after = neighbour(made.key, /*after=*/true);
  const bool on = before && clock_ran_on(before->key.start_utc_ns, record.start_utc_ns);
  const bool off = after && clock_ran_on(record.start_utc_ns, after->key.start_utc_ns);
  if (before && after && before->stretch == after->stretch && !(on && off)) {
    part(*before);
    before = placed(before->key.path);
  }
  made.stretch = on ? before->stretch : off ? after->stretch : new_stretch();
  return made;
}

void Index::remove(const std::string& path) {
  Transaction transaction(*this);
  if (const std::optional<Placed> gone = placed(path)) {
    const std::optional<Placed> before = neighbour(gone->key, /*after=*/false);
    const std::optional<Placed> after = neighbour(gone->key, /*after=*/true);
    prepare("DELETE FROM segment WHERE path = ?").bind(path).run();  // and, by its keys, its parts
    if (before && after && before->stretch == after->stretch &&
        !clock_ran_on(before->key.start_utc_ns, after->key.start_utc_ns))
      part(*before);
  }
  transaction.commit();
}

std::vector<Total> Index::totals() const {
  Statement statement =
      prepare("SELECT recording, kind, segments, bytes FROM total ORDER BY recording, kind");
  std::vector<Total> all;
  while (statement.step()) {
    const auto kind = segment_class_from(statement.text(1));
    if (!kind) throw IndexDamaged(statement.text(1) + " is no class that there is");
    all.push_back({statement.text(0), *kind, statement.count(2), statement.count(3)});
  }
  return all;
}

std::vector<Stretch> Index::stretches() const {
  Statement newest =
      prepare("SELECT path FROM segment ORDER BY place DESC, start_utc_ns DESC, path DESC LIMIT 1");
  Statement first_of = prepare(
      "SELECT place, start_utc_ns, path FROM segment WHERE stretch = ? "
      "ORDER BY place, start_utc_ns, path LIMIT 1");
  std::vector<Stretch> all;
  std::optional<Placed> last = newest.step() ? placed(newest.text(0)) : std::nullopt;
  while (last) {
    first_of.reset();
    if (!first_of.bind(last->stretch).step()) throw IndexDamaged("a stretch has no first segment");
    const Key first{first_of.integer(0), first_of.integer(1), first_of.text(2)};
    all.push_back({last->stretch, first.start_utc_ns, last->key.start_utc_ns});
    last = neighbour(first, /*after=*/false);
  }
  return all;
}

std::vector<Outline> Index::begun_before(const Total& group, std::int64_t stretch,
                                         std::int64_t utc_ns) const {
  Statement statement = prepare(
      "SELECT path, place, start_utc_ns, end_utc_ns, bytes FROM segment WHERE recording = ? AND kind = ? "
      "AND stretch = ? AND start_utc_ns < ? AND state <> 'open'");
  statement.bind(group.recording).bind(to_string(group.kind)).bind(stretch).bind(utc_ns);
  std::vector<Outline> all;
  while (statement.step()) all.push_back(outline_from(statement));
  return all;
}

Index::Oldest::Oldest(const Index& index, const Total& group)
    : statement_(index.prepare(
          "SELECT path, place, start_utc_ns, end_utc_ns, bytes FROM segment WHERE recording = ? AND kind = ? "
          "AND state <> 'open' ORDER BY place, start_utc_ns, path")) {
  statement_.bind(group.recording).bind(to_string(group.kind));
}

std::optional<Outline> Index::Oldest::next() {
  return statement_.step() ? std::optional(outline_from(statement_)) : std::nullopt;
}

}  // namespace record
