#include "screen.hpp"

#include <algorithm>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <cstdlib>

#include <curses.h>
#include <fmt/core.h>

#include <reel/base/error.hpp>

namespace {
SCREEN* terminal = nullptr;  // ncurses has one current terminal itself

// Not in the middle of a letter: of what is beyond ASCII, bytes that go on with one are passed over.
const char* from_column(const std::string& line, int column) {
  std::size_t at = std::min(line.size(), static_cast<std::size_t>(column));
  while (at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0) == 0x80) ++at;
  return line.c_str() + at;
}
}  // namespace

Screen::Screen() {
  std::setlocale(LC_CTYPE, "");  // so that a file's name is shown as it is written
  terminal = ::newterm(nullptr, stdout, stdin);
  if (terminal == nullptr) {
    const char* name = std::getenv("TERM");
    throw reel::Error(
        reel::ErrorCode::unsupported,
        fmt::format("TERM={}: no terminal that a table can be shown on in place: set TERM, or pipe the "
                    "output (reel top | cat)",
                    name == nullptr ? "" : name));
  }
  ::set_term(terminal);
  ::cbreak();
  ::noecho();
  ::curs_set(0);
  ::keypad(stdscr, TRUE);
}

Screen::~Screen() {
  ::endwin();
  ::delscreen(terminal);
}

void Screen::show(const std::vector<std::string>& lines, const std::string& footer) {
  lines_ = lines;
  footer_ = footer;
  draw();
}

void Screen::draw() const {
  const int rows = getmaxy(stdscr), columns = getmaxx(stdscr);
  ::erase();
  const int room = std::max(0, rows - 1);
  for (int row = 0; row < room && first_row_ + row < static_cast<int>(lines_.size()); ++row) {
    const std::string& line = lines_[static_cast<std::size_t>(first_row_ + row)];
    const bool heading = line.starts_with("STAGE ");
    if (heading) attron(A_REVERSE);
    mvaddnstr(row, 0, from_column(line, first_column_), columns);
    if (heading) attroff(A_REVERSE);
  }
  attron(A_DIM);
  mvaddnstr(rows - 1, 0, footer_.c_str(), columns);
  attroff(A_DIM);
  ::refresh();
}

// Half a screen at a time, no further than there is something.
bool Screen::move(int key) {
  const int rows = std::max(1, getmaxy(stdscr) - 1), columns = std::max(1, getmaxx(stdscr));
  int widest = 0;
  for (const std::string& line : lines_) widest = std::max(widest, static_cast<int>(line.size()));
  const int last_row = std::max(0, static_cast<int>(lines_.size()) - rows);
  const int last_column = std::max(0, widest - columns);
  switch (key) {
    case KEY_UP: first_row_ -= (rows + 1) / 2; break;
    case KEY_DOWN: first_row_ += (rows + 1) / 2; break;
    case KEY_LEFT: first_column_ -= (columns + 1) / 2; break;
    case KEY_RIGHT: first_column_ += (columns + 1) / 2; break;
    case KEY_RESIZE: break;
    default: return false;
  }
  first_row_ = std::clamp(first_row_, 0, last_row);
  first_column_ = std::clamp(first_column_, 0, last_column);
  return true;
}

int Screen::wait_for_key(int timeout_ms) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    timeout(std::max(0, static_cast<int>(left.count())));
    const int key = getch();
    if (key == ERR) return 0;
    if (!move(key)) return key;
    draw();
  }
}
