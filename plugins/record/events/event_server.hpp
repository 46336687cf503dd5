// Calls from outside: HTTP/1.1 at a unix socket in the runtime directory, for `reel event`, and by option at
// a TCP port. POST /event puts a call on the desk, GET /events lists what was. One request a connection. Has
// a thread of its own; made and destroyed by the recorder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "events/event_desk.hpp"

namespace record {

class EventServer {
 public:
  static constexpr std::size_t kMaxConnections = 32;  // more are closed
  static constexpr std::size_t kMaxHeaderBytes = 8192;
  static constexpr std::size_t kMaxBodyBytes = 8192;

  struct Settings {
    std::string directory;   // for the socket: reel::writable_runtime_dir()
    std::string http;        // ADDRESS:PORT; empty: none
    std::string http_token;  // who comes by HTTP must bear it; empty: none
    int patience_ms = 5000;  // for a request to arrive whole, and for an answer to be taken
  };
  /// Listens. `desk` outlives it. Throws Error{bad_config} (see http_address_from()), Error{in_use} where
  /// another process has the name or the port, Error{io}.
  EventServer(Settings settings, EventDesk& desk);
  EventServer(const EventServer&) = delete;
  EventServer& operator=(const EventServer&) = delete;
  /// Takes the socket's file away, closes all connections and joins the thread.
  ~EventServer();

  /// "http://127.0.0.1:9480"; empty without one.
  [[nodiscard]] std::string url() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace record
