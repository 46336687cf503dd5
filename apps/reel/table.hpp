// A table of text for people: columns as wide as their widest cell, numbers to the right. Single-thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

class Table {
 public:
  struct Column {
    std::string title;
    bool right = false;  // numbers
  };

  /// `indent` spaces stand before each line.
  explicit Table(std::vector<Column> columns, std::size_t indent = 0);

  /// REQUIRES: as many cells as columns.
  void add_row(std::vector<std::string> cells);
  /// The titles, then a line for each row.
  [[nodiscard]] std::vector<std::string> lines() const;
  /// To standard output; the titles in bold on a terminal (unless $NO_COLOR is set).
  void print() const;

 private:
  [[nodiscard]] std::string line(const std::vector<std::string>& cells) const;

  std::vector<Column> columns_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
  std::size_t indent_;
};
