// A small HTTP client for tests of what is served: raw enough to misbehave. Single-thread.
#pragma once

#include <string>
#include <string_view>

#include <netinet/in.h>

#include <reel/base/unique_fd.hpp>

namespace reel_test {

/// A connection to 127.0.0.1.
class PageClient {
 public:
  /// One to be made, with its descriptor.
  PageClient();
  explicit PageClient(std::uint16_t port);
  void connect(std::uint16_t port);
  [[nodiscard]] bool connected() const noexcept { return connected_; }
  void send(std::string_view text) const;
  /// Reads until `text` has come, the end, or the watchdog; returns all read so far.
  const std::string& read_until(std::string_view text);
  /// Reads what is there; false at the end of the connection or when the watchdog passed.
  bool read_some();
  [[nodiscard]] const std::string& received() const noexcept { return received_; }
  /// What was read so far.
  void forget() { received_.clear(); }
  [[nodiscard]] bool at_end() const noexcept { return at_end_; }
  /// There is something to read now, which is not read.
  [[nodiscard]] bool has_something() const noexcept;
  /// The other side has closed the connection, and nothing is left to read.
  [[nodiscard]] bool is_let_go() const noexcept;
  /// Reads to the end of the connection.
  const std::string& read_all() { return read_until({}); }

 private:
  reel::UniqueFd socket_;
  bool connected_ = false, at_end_ = false;
  std::string received_;
};

struct Answer {
  int status = 0;
  std::string head, body;
};
/// GET of `target` with a usual Host, on a connection of its own.
[[nodiscard]] Answer get(std::uint16_t port, const std::string& target);
/// Sends `request` as it is and reads the answer.
[[nodiscard]] Answer ask(std::uint16_t port, const std::string& request);

/// A port of 127.0.0.1 nobody listens on at this moment.
[[nodiscard]] std::uint16_t free_port();
/// Listens on any free port for as long as it lives.
class TakenPort {
 public:
  TakenPort();
  [[nodiscard]] std::uint16_t number() const noexcept { return number_; }

 private:
  reel::UniqueFd socket_;
  std::uint16_t number_ = 0;
};

}  // namespace reel_test
