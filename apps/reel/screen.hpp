// The terminal as a whole, lines shown in place, until this object goes. One at a time; single-thread.
#pragma once

#include <string>
#include <vector>

class Screen {
 public:
  /// Throws Error{unsupported} where $TERM names no terminal that can do it.
  Screen();
  ~Screen();  // the terminal is as it was
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// What does not fit is cut off, unless the arrow keys brought it into view; the last row is `footer`.
  void show(const std::vector<std::string>& lines, const std::string& footer);
  /// The key that was pressed; 0 when none was within the time, or it only moved the view.
  [[nodiscard]] int wait_for_key(int timeout_ms);

 private:
  void draw() const;
  [[nodiscard]] bool move(int key);

  std::vector<std::string> lines_;
  std::string footer_;
  int first_row_ = 0, first_column_ = 0;  // of what is in view
};
