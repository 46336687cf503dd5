#include "table.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <utility>

#include <fmt/core.h>
#include <unistd.h>

namespace {

bool coloured() {
  const char* refused = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) == 1 && (refused == nullptr || *refused == '\0');
}

}  // namespace

Table::Table(std::vector<Column> columns, std::size_t indent)
    : columns_(std::move(columns)), indent_(indent) {
  for (const Column& column : columns_) widths_.push_back(column.title.size());
}

void Table::add_row(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  for (std::size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], cells[i].size());
  rows_.push_back(std::move(cells));
}

std::string Table::line(const std::vector<std::string>& cells) const {
  std::string text(indent_, ' ');
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) text += "  ";
    text += columns_[i].right ? fmt::format("{:>{}}", cells[i], widths_[i])
                              : fmt::format("{:<{}}", cells[i], widths_[i]);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::vector<std::string> Table::lines() const {
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  std::vector<std::string> lines{line(titles)};
  for (const auto& row : rows_) lines.push_back(line(row));
  return lines;
}

void Table::print() const {
  const bool bold = coloured();
  const char* begin = bold ? "\033[1m" : "";
  const char* end = bold ? "\033[0m" : "";
  for (const std::string& text : lines()) {
    fmt::print("{}{}{}\n", begin, text, end);
    begin = end = "";
  }
}
