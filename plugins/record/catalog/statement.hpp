// One prepared statement of SQLite: texts and numbers in by position, columns out. Called by Index; one
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace record {

/// It cannot be read or written now: no room, no right, an error of the disk.
class IndexUnusable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The file is no index, is damaged, replaced or of another version: to be thrown away and made again.
class IndexDamaged : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws for the last call on `database`: IndexDamaged where the file is to blame, else IndexUnusable.
[[noreturn]] void fail_index(sqlite3* database);

/// Statements that are not in use: to prepare one takes longer than to run it. REQUIRES: it outlives those
/// that are in use, and the database outlives it.
class StatementCache {
 public:
  StatementCache() = default;
  StatementCache(const StatementCache&) = delete;
  StatementCache& operator=(const StatementCache&) = delete;
  ~StatementCache();

 private:
  friend class Statement;
  std::map<std::string, std::vector<sqlite3_stmt*>, std::less<>> idle_;  // by their texts
};

class Statement {
 public:
  Statement(sqlite3* database, StatementCache& cache, std::string_view sql);

  /// The next `?`.
  Statement& bind(std::int64_t value);
  Statement& bind(std::uint64_t value);  // as a signed number: SQLite knows no other
  Statement& bind(double value);
  Statement& bind(std::string_view text);  // copied
  Statement& bind_null();
  template <class T>
  Statement& bind(const std::optional<T>& value) {
    return value ? bind(*value) : bind_null();
  }

  /// False: no more rows.
  bool step();
  /// To its end.
  void run();
  /// For the next round of values.
  void reset();

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::uint64_t count(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  [[nodiscard]] std::string text(int column) const;

 private:
  void check(int result);
  struct GiveBack {
    std::vector<sqlite3_stmt*>* idle;
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, GiveBack> statement_;
  int bound_ = 0;
};

}  // namespace record
