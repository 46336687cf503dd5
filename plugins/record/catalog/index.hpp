// The index of a directory of recordings: SQLite, in WAL mode, `index.sqlite`. Nothing is in it alone: it is
// made from the manifests and can be thrown away at any time. Called by Catalog only; one thread at a time.
// Processes may share the file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/query.hpp"
#include "catalog/recorded_age.hpp"
#include "catalog/segment.hpp"
#include "catalog/statement.hpp"
#include "catalog/store.hpp"

struct sqlite3;

namespace record {

/// What retention needs to know of a segment.
struct Outline {
  std::string path;
  std::int64_t place = 0;  // its sequence, or what it goes by where that is not known
  std::int64_t start_utc_ns = 0;
  std::int64_t end_utc_ns = 0;
  std::uint64_t bytes = 0;
};

/// All segments of one recording and class, open ones among them.
struct Total {
  std::string recording;
  SegmentClass kind = SegmentClass::continuous;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
};

class Index {
 public:
  static constexpr const char* kInMemory = ":memory:";
  /// Opens or makes it; kInMemory for where nothing can be written. Every call throws IndexDamaged and
  /// IndexUnusable.
  explicit Index(const std::string& file);
  /// With all that is in it, for where it cannot be written any more.
  [[nodiscard]] Index copy_in_memory() const;
  /// Away with the file and what SQLite keeps beside it.
  static void remove_file(const std::string& file);

  [[nodiscard]] bool in_memory() const { return file_ == kInMemory; }
  /// False once another process has replaced or deleted the file: what is put now would be lost.
  [[nodiscard]] bool current() const;

  void put(const SegmentRecord& record, const std::optional<ManifestStamp>& manifest);
  void remove(const std::string& path);
  [[nodiscard]] std::vector<SegmentRecord> find(const Query& query) const;
  [[nodiscard]] std::optional<SegmentRecord> newest(const std::string& recording) const;
  [[nodiscard]] std::optional<SegmentRecord> get(const std::string& path) const;
  [[nodiscard]] std::uint64_t highest_sequence() const;

  // For retention: how much each reads does not depend on how many segments there are.

  [[nodiscard]] std::vector<Total> totals() const;
  /// Of the recordings as a whole, the newest first.
  [[nodiscard]] std::vector<Stretch> stretches() const;
  /// Those of one recording and class, not open, in a stretch, that began before a time.
  [[nodiscard]] std::vector<Outline> begun_before(const Total& group, std::int64_t stretch,
                                                  std::int64_t utc_ns) const;
  /// Gives those of one recording and class that are not open, the one that was begun first first.
  /// REQUIRES: nothing is put or removed meanwhile.
  class Oldest {
   public:
    Oldest(const Index& index, const Total& group);
    [[nodiscard]] std::optional<Outline> next();

   private:
    Statement statement_;
  };

  /// What was found of a day when it was last looked through.
  [[nodiscard]] std::vector<Found> rows_of(const std::string& day) const;
  [[nodiscard]] std::vector<std::string> days() const;
  [[nodiscard]] std::optional<std::int64_t> day_modified_ns(const std::string& day) const;
  void set_day(const std::string& day, std::optional<std::int64_t> modified_ns);  // nullopt: it is gone

  /// Everything that is called until commit() is done together, or not at all. One within another is part
  /// of that one.
  class Transaction {
   public:
    explicit Transaction(Index& index);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

   private:
    Index& index_;
    bool done_ = false;
  };

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  [[nodiscard]] Statement prepare(std::string_view sql) const;
  /// Where a segment stands in the order in which they were begun; compared in this order.
  struct Key {
    std::int64_t place = 0;
    std::int64_t start_utc_ns = 0;
    std::string path;
    [[nodiscard]] bool operator==(const Key&) const = default;
  };
  struct Placed {
    Key key;
    std::int64_t stretch = 0;
  };
  void open_file();
  void make_tables();
  [[nodiscard]] std::vector<SegmentRecord> records(Statement& statement) const;
  void put_parts(const SegmentRecord& record);

  // index_order.cpp
  [[nodiscard]] Placed place_for(const SegmentRecord& record);
  [[nodiscard]] std::optional<Placed> placed(const std::string& path) const;
  [[nodiscard]] std::optional<Placed> neighbour(const Key& key, bool after) const;
  [[nodiscard]] std::int64_t new_stretch() const;
  void part(const Placed& last);

  std::string file_;
  std::unique_ptr<sqlite3, Close> database_;
  std::unique_ptr<StatementCache> statements_ = std::make_unique<StatementCache>();
  std::uint64_t device_ = 0;  // of the file that is open
  std::uint64_t inode_ = 0;
};

}  // namespace record
