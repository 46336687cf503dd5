#include "catalog/statement.hpp"

#include <cmath>

#include <sqlite3.h>

namespace record {

namespace {

bool file_is_to_blame(int extended) {
  const int code = extended & 0xff;
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_FORMAT || code == SQLITE_SCHEMA ||
         // SQLITE_ERROR: no such table or column, in a file that says it is ours.
         code == SQLITE_ERROR || extended == SQLITE_READONLY_DBMOVED || extended == SQLITE_IOERR_SHORT_READ;
}

}  // namespace

void fail_index(sqlite3* database) {
  const std::string text = sqlite3_errmsg(database);
  if (file_is_to_blame(sqlite3_extended_errcode(database))) throw IndexDamaged(text);
  throw IndexUnusable(text);
}

StatementCache::~StatementCache() {
  for (const auto& [sql, statements] : idle_) {
    for (sqlite3_stmt* statement : statements) sqlite3_finalize(statement);
  }
}

Statement::Statement(sqlite3* database, StatementCache& cache, std::string_view sql) : database_(database) {
  auto entry = cache.idle_.find(sql);
  if (entry == cache.idle_.end()) entry = cache.idle_.try_emplace(std::string(sql)).first;
  std::vector<sqlite3_stmt*>& idle = entry->second;
  sqlite3_stmt* statement = nullptr;
  if (idle.empty()) {
    idle.reserve(1);
    check(sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement, nullptr));
  } else {
    statement = idle.back();
    idle.pop_back();
  }
  statement_ = {statement, GiveBack{&idle}};
}

void Statement::GiveBack::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (idle->size() < idle->capacity()) {
    idle->push_back(statement);
  } else {
    sqlite3_finalize(statement);
  }
}

void Statement::check(int result) {
  if (result != SQLITE_OK) fail_index(database_);
}

Statement& Statement::bind(std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), ++bound_, value));
  return *this;
}
Statement& Statement::bind(std::uint64_t value) {
  return bind(static_cast<std::int64_t>(value));
}
Statement& Statement::bind(double value) {
  // SQLite takes "not a number" for NULL, which a score must not be.
  check(sqlite3_bind_double(statement_.get(), ++bound_, std::isfinite(value) ? value : 0));
  return *this;
}
Statement& Statement::bind(std::string_view text) {
  check(sqlite3_bind_text(statement_.get(), ++bound_, text.data(), static_cast<int>(text.size()),
                          SQLITE_TRANSIENT));
  return *this;
}
Statement& Statement::bind_null() {
  check(sqlite3_bind_null(statement_.get(), ++bound_));
  return *this;
}

bool Statement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) fail_index(database_);
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  bound_ = 0;
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}
std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}
std::string Statement::text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  const int bytes = sqlite3_column_bytes(statement_.get(), column);
  return text == nullptr ? std::string()
                         : std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(bytes));
}

}  // namespace record
