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
#include "catalog/segment.hpp"
#include "catalog/statement.hpp"
#include "catalog/store.hpp"

struct sqlite3;

namespace record {

class Index {
 public:
  static constexpr const char* kInMemory = ":memory:";
  /// Opens or makes it; kInMemory for where nothing can be written. Every call throws IndexDamaged and
  /// IndexUnusable.
  explicit Index(const std::string& file);
  /// Away with the file and what SQLite keeps beside it.
  static void remove_file(const std::string& file);

  [[nodiscard]] bool in_memory() const { return file_ == kInMemory; }
  /// False once another process has replaced or deleted the file: what is put now would be lost.
  [[nodiscard]] bool current() const;

  void put(const SegmentRecord& record, const std::optional<ManifestStamp>& manifest);
  void remove(const std::string& path);
  [[nodiscard]] std::vector<SegmentRecord> find(const Query& query) const;
  [[nodiscard]] std::vector<SegmentRecord> outlines() const;
  [[nodiscard]] std::optional<SegmentRecord> newest(const std::string& recording) const;
  [[nodiscard]] std::optional<SegmentRecord> get(const std::string& path) const;
  [[nodiscard]] std::uint64_t highest_sequence() const;

  /// What was found of a day when it was last looked through.
  [[nodiscard]] std::vector<Found> rows_of(const std::string& day) const;
  [[nodiscard]] std::vector<std::string> days() const;
  [[nodiscard]] std::optional<std::int64_t> day_modified_ns(const std::string& day) const;
  void set_day(const std::string& day, std::optional<std::int64_t> modified_ns);  // nullopt: it is gone

  /// Everything that is called until commit() is done together, or not at all.
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
  void open_file();
  void make_tables();
  [[nodiscard]] std::vector<SegmentRecord> records(Statement& statement) const;
  void put_parts(const SegmentRecord& record);

  std::string file_;
  std::unique_ptr<sqlite3, Close> database_;
  std::uint64_t device_ = 0;  // of the file that is open
  std::uint64_t inode_ = 0;
};

}  // namespace record
