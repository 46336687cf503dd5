// The server as its clients see it: good ones, slow ones and hostile ones.
#include <atomic>
#include <list>
#include <optional>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/page_client.hpp>
#include <reel_test/process_facts.hpp>
#include <reel_test/wait_until.hpp>

#include <reel/service/http_server.hpp>

namespace reel {
namespace {

using reel_test::ask;
using reel_test::get;
using reel_test::PageClient;
using ::testing::HasSubstr;

// A server and the thread that owns it: it makes pages when somebody asks.
class Served : public ::testing::Test {
 protected:
  Served() : owner_([this] { own(); }) {
    EXPECT_TRUE(reel_test::wait_until([this] { return port_ != 0; }));
  }
  ~Served() override {
    over_ = true;
    owner_.join();
  }

  void own() {
    HttpServer server(listen_address_from("127.0.0.1:0"));
    port_ = server.address().port;
    while (!over_) {
      pollfd polled{server.fd(), POLLIN, 0};
      (void)::poll(silent_ ? nullptr : &polled, silent_ ? 0 : 1, 20);  // silent: it sleeps
      if (silent_ || !server.asked()) continue;
      const int made = ++made_;
      server.give({{"/health", {503, "application/json", "{\"made\": " + std::to_string(made) + "}"}},
                   {"/metrics", {200, "text/plain; version=0.0.4", "up 1\n"}}});
    }
  }

  std::atomic<bool> over_{false}, silent_{false};
  std::atomic<int> made_{0};
  std::atomic<std::uint16_t> port_{0};
  std::thread owner_;
};

TEST_F(Served, GivesPagesWithTheirStatusAndType) {
  const auto metrics = get(port_, "/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(metrics.body, "up 1\n");
  EXPECT_THAT(metrics.head, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_EQ(get(port_, "/health?verbose=1").status, 503);
  const auto nowhere = get(port_, "/etc/passwd");
  EXPECT_EQ(nowhere.status, 404);
  EXPECT_THAT(nowhere.body, HasSubstr("/health, /metrics"));
}

TEST_F(Served, MakesPagesAnewForWhoAsksLater) {
  ASSERT_TRUE(reel_test::wait_until([&] { return get(port_, "/health").body != "{\"made\": 1}"; }));
  EXPECT_GE(made_, 2);
}

TEST_F(Served, MakesOnePageForManyWhoAskAtOnce) {
  std::list<PageClient> clients;
  silent_ = true;
  for (int i = 0; i < 32; ++i) {
    clients.emplace_back(port_);
    clients.back().send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  }
  PageClient last(port_);  // once it is answered, the others have been heard
  last.send("PUT / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(last.read_all(), HasSubstr("405"));
  silent_ = false;
  for (PageClient& client : clients) EXPECT_THAT(client.read_all(), HasSubstr("up 1"));
  EXPECT_LE(made_, 8);
}

TEST_F(Served, GivesHeadsAlone) {
  const auto head = ask(port_, "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_THAT(head.head, HasSubstr("Content-Length: 5"));
}

TEST_F(Served, KeepsAConnection) {
  PageClient client(port_);
  for (int i = 0; i < 3; ++i) {
    client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.read_until("up 1\n");
  }
  EXPECT_FALSE(client.at_end());
}

TEST_F(Served, RefusesOtherRequests) {
  for (const char* method : {"POST", "PUT", "DELETE"})
    EXPECT_EQ(
        ask(port_, std::string(method) + " /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .status,
        405);
  EXPECT_EQ(ask(port_, "hello\r\n\r\n").status, 400);
  EXPECT_EQ(
      ask(port_, "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(9000, 'x') + "\r\n\r\n").status,
      400);
  EXPECT_EQ(ask(port_, "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n").status, 400);
  EXPECT_EQ(get(port_, "/metrics").status, 200);
}

TEST_F(Served, RefusesAHostThatMayHaveBeenPointedHere) {
  for (const char* host : {"evil.example", "evil.example:80", "127.0.0.1.evil.example", ""})
    EXPECT_EQ(
        ask(port_, "GET /health HTTP/1.1\r\nHost: " + std::string(host) + "\r\nConnection: close\r\n\r\n")
            .status,
        403)
        << host;
  for (const char* host : {"localhost", "127.0.0.1:1", "[::1]", "[::1]:80"})
    EXPECT_EQ(
        ask(port_, "GET /health HTTP/1.1\r\nHost: " + std::string(host) + "\r\nConnection: close\r\n\r\n")
            .status,
        503)
        << host;
}

TEST_F(Served, AnswersWhileOthersHoldAllPlacesAndSayNothing) {
  std::list<PageClient> silent;
  for (std::size_t i = 0; i < 2 * HttpServer::kMostClients; ++i) {
    silent.emplace_back(port_);
    silent.back().send("GET /metrics HTTP/1.1\r\nX-Slow: ");  // and then a byte now and then, if any
  }
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get(port_, "/metrics").status, 200);
}

TEST_F(Served, LetsClientsGoThatLeave) {
  EXPECT_EQ(get(port_, "/metrics").status, 200);
  const std::size_t before = reel_test::open_descriptors();
  for (int i = 0; i < 300; ++i) {
    PageClient client(port_);
    client.send("GET /met");
  }
  EXPECT_TRUE(reel_test::wait_until([&] { return reel_test::open_descriptors() <= before; }));
}

TEST_F(Served, SaysThatTheServiceDoesNotAnswer) {
  silent_ = true;
  const auto answer = get(port_, "/health");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("does not answer"));
}

TEST(HttpServer, SaysWhoHoldsItsPort) {
  const reel_test::TakenPort taken;
  const std::string text = "127.0.0.1:" + std::to_string(taken.number());
  reel_test::expect_error(ErrorCode::in_use, {text, "another port"},
                          [&] { const HttpServer server(listen_address_from(text)); });
}

TEST(HttpServer, HasAnAddressOfThisMachine) {
  reel_test::expect_error(ErrorCode::io, {"192.0.2.1:0"},
                          [] { const HttpServer server(listen_address_from("192.0.2.1:0")); });
}

TEST(HttpServer, AnswersAnyHostWhereItIsThereForOthers) {
  HttpServer server(listen_address_from("0.0.0.0:0"));
  const auto answer =
      ask(server.address().port, "PUT / HTTP/1.1\r\nHost: recorder.example\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answer.status, 405);
}

}  // namespace
}  // namespace reel
