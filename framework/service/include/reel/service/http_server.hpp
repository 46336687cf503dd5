// A few pages of text over HTTP/1.1, for tools that watch a service: made anew when somebody asks, by the
// thread that owns the server and at its own pace. The network is a thread of the server's: no client can
// hold the owner up, however slow it is or how many there are. All functions are for the owner's thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <reel/service/listen_address.hpp>

namespace reel {

struct HttpPage {
  int status = 200;
  std::string type;  // of the body: "application/json"
  std::string body;
};
using HttpPages = std::map<std::string, HttpPage>;  // by path: "/health"

/// How long clients, and the owner, may take.
struct HttpPatience {
  int client_ms = 15'000;  // for a request to arrive whole, and for an answer to be taken: then it is let go
  int owner_ms = 5'000;    // to make pages; then 503
};

class HttpServer {
 public:
  static constexpr std::size_t kMostClients = 64;        // more are answered 503
  static constexpr std::size_t kMostHeaderBytes = 8192;  // of a request
  static constexpr int kFreshMs = 100;                   // pages so young are given to others as well

  /// Listens. Throws Error{in_use | bad_config | no_permission | io}.
  explicit HttpServer(const ListenAddress& address, const HttpPatience& patience = {});
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();  // closes all connections

  /// As it listens: with the port that it got.
  [[nodiscard]] const ListenAddress& address() const noexcept;
  /// Readable while somebody waits for pages.
  [[nodiscard]] int fd() const noexcept;
  /// Whether somebody does; once for all who have asked so far.
  [[nodiscard]] bool asked();
  void give(HttpPages pages);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reel
