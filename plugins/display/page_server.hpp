// The display's web page: /, /stream.mjpg, /snapshot.jpg, /status.json over HTTP/1.1. Has a thread of its
// own, which encodes pictures only while somebody watches; made and destroyed by the stage thread, which
// never waits for a client.
#pragma once

#include "board.hpp"

#include <cstdint>
#include <memory>
#include <string>

struct PageOptions {
  std::string address = "127.0.0.1";  // IPv4 or IPv6
  std::uint16_t port = 8090;          // 0: any free one
  int jpeg_quality = 80;              // 1 to 100
};

class PageServer {
 public:
  static constexpr std::size_t kMaxConnections = 32;  // more are answered 503

  /// Listens. Throws reel::Error{in_use} naming the port's owner, {bad_config} for what is no address, {io}.
  PageServer(const PageOptions& options, const std::string& stage, Board& board);
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;
  /// Closes all connections and joins the thread.
  ~PageServer();

  [[nodiscard]] std::string url() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with the board's listener, which may outlive this server
};
