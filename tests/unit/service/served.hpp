// A server and the thread that owns it: it makes pages when somebody asks.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <poll.h>
#include <reel_test/page_client.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/service/http_server.hpp>

namespace reel {

class Served : public ::testing::Test {
 protected:
  explicit Served(const HttpPatience& patience = {}) : patience_(patience), owner_([this] { own(); }) {
    EXPECT_TRUE(reel_test::wait_until([this] { return port_ != 0; }));
  }
  ~Served() override {
    over_ = true;
    owner_.join();
  }

  void own() {
    HttpServer server(listen_address_from("127.0.0.1:0"), patience_);
    port_ = server.address().port;
    while (!over_) {
      pollfd polled{server.fd(), POLLIN, 0};
      (void)::poll(silent_ ? nullptr : &polled, silent_ ? 0 : 1, 20);  // silent: it sleeps
      if (silent_ || !server.asked()) continue;
      const int made = ++made_;
      server.give({{"/health", {503, "application/json", "{\"made\": " + std::to_string(made) + "}"}},
                   {"/metrics", {200, "text/plain; version=0.0.4", "up 1\n"}},
                   {"/large", {200, "text/plain", std::string(large_, 'x')}}});
    }
  }

  HttpPatience patience_;
  std::atomic<bool> over_{false}, silent_{false};
  std::atomic<int> made_{0};
  std::atomic<std::size_t> large_{0};
  std::atomic<std::uint16_t> port_{0};
  std::thread owner_;
};

}  // namespace reel
