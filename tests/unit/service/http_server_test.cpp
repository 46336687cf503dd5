// The server as its clients see it: good ones, slow ones and hostile ones.
#include "served.hpp"

#include <list>
#include <string>

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/process_facts.hpp>

namespace reel {
namespace {

using reel_test::ask;
using reel_test::get;
using reel_test::PageClient;
using ::testing::HasSubstr;

TEST_F(Served, GivesPagesWithTheirStatusAndType) {
  const auto metrics = get(port_, "/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(metrics.body, "up 1\n");
  EXPECT_THAT(metrics.head, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_EQ(get(port_, "/health?verbose=1").status, 503);
  const auto nowhere = get(port_, "/etc/passwd");
  EXPECT_EQ(nowhere.status, 404);
  EXPECT_THAT(nowhere.body, HasSubstr("/health, /large, /metrics"));
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
    client.forget();
    client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string& answer = client.read_until("up 1\n");
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200 OK")) << "answer " << i;
    EXPECT_THAT(answer, ::testing::Not(HasSubstr("Connection: close"))) << "answer " << i;
    ASSERT_FALSE(client.at_end()) << "after " << i;
  }
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
