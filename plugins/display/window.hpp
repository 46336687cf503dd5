// A window on an X display that shows the board's main picture, fitted to the window's size. Talks to the
// server by XCB, which reports a lost server instead of ending the process. Has a thread of its own; made and
// destroyed by the stage thread.
#pragma once

#include "board.hpp"

#include <string>
#include <thread>

class Window {
 public:
  /// Throws reel::Error{unsupported} naming the display when it cannot be opened or has no 24-bit colour.
  Window(const std::string& title, Board& board);
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  /// Closes the window and joins its thread.
  ~Window();

 private:
  class Connection;
  void run() noexcept;

  Board& board_;
  std::unique_ptr<Connection> connection_;
  std::shared_ptr<class WakeUp> wake_up_;  // shared with the board's listener, which may outlive this window
  std::thread thread_;
};
