// Calls from outside, over the socket and over HTTP: what is taken, what is refused, and that nobody who is
// slow, huge or broken keeps others out.
#include "events/event_server.hpp"

#include "http_client.hpp"

#include "events/event_address.hpp"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <reel_test/expect_error.hpp>
#include <reel_test/runtime_dir.hpp>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/wait_until.hpp>

namespace record {
namespace {

using reel_test::expect_error;
using reel_test::wait_until;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kToken = "0123456789abcdef";

class Server : public testing::Test {
 protected:
  void start(const std::string& http = "127.0.0.1:0", const std::string& token = "",
             int patience_ms = 60'000) {
    server_.emplace(EventServer::Settings{runtime_.path(), http, token, patience_ms}, desk_);
  }
  [[nodiscard]] HttpClient client() const { return HttpClient::tcp(server_->url()); }
  [[nodiscard]] std::string socket() const { return runtime_.path() + "/" + event_socket_file("door"); }
  [[nodiscard]] static std::string post(const std::string& body, const std::string& headers = "",
                                        const std::string& host = "localhost") {
    return "POST /event HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  reel_test::TempRuntimeDir runtime_;
  EventDesk desk_{"door"};
  std::optional<EventServer> server_;
};

TEST_F(Server, TakesACallByHttpAndAtTheSocket) {
  start();
  EXPECT_THAT(client().ask(post(R"({"kind": "bell", "note": "x", "duration": "5s"})")),
              StartsWith("HTTP/1.1 202"));
  EXPECT_THAT(HttpClient::local(socket()).ask(post("{}")), StartsWith("HTTP/1.1 202"));
  const auto calls = desk_.take();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].call.kind, "bell");
  EXPECT_EQ(calls[0].call.duration_ns, 5'000'000'000);
  EXPECT_EQ(calls[1].call.kind, "call");
}

TEST_F(Server, ListsEvents) {
  start();
  Event event;
  event.id = "1-motion";
  desk_.note({EventChange::What::begun, event}, 0);
  const std::string answer = client().ask("GET /events HTTP/1.1\r\nHost: [::1]:80\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  const auto json = nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n")));
  EXPECT_EQ(json["events"][0]["id"], "1-motion");
}

TEST_F(Server, SaysWhatIsWrongWithARequest) {
  start();
  const auto refused = [&](const std::string& request, const std::string& status, const std::string& why) {
    SCOPED_TRACE(request.substr(0, 60));
    const std::string answer = client().ask(request);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + status));
    EXPECT_THAT(answer, HasSubstr(why));
  };
  refused("\x16\x03\x01\x02\r\n\r\n", "400", "not a request");
  refused(post("{"), "400", "no JSON object");
  refused(post(R"({"kind": "A b"})"), "400", "cannot be a kind");
  refused(post(std::string(20'000, ' ')), "413", "8192");
  refused("GET /events HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", "413", "8192");
  refused("GET /event HTTP/1.1\r\nHost: localhost\r\n\r\n", "405", "Allow: POST");
  refused("GET /../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", "404", "POST /event");
  refused(
      "POST /event HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
      "415", "application/json");
  refused(post("{}", "", "evil.example"), "403", "not for a name");
  EXPECT_TRUE(desk_.take().empty());
}

TEST_F(Server, AsksForItsTokenAtThePortOnly) {
  start("127.0.0.1:0", kToken);
  EXPECT_THAT(client().ask(post("{}")), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(client().ask(post("{}", "Authorization: Bearer 0123456789abcdeX\r\n")),
              StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(client().ask("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(
      client().ask(post("{}", std::string("Authorization: Bearer ") + kToken + "\r\n", "recorder.lan")),
      StartsWith("HTTP/1.1 202"));
  EXPECT_THAT(HttpClient::local(socket()).ask(post("{}")), StartsWith("HTTP/1.1 202"));
  EXPECT_EQ(desk_.take().size(), 2U);
}

TEST_F(Server, SaysWhenTheRecorderTakesNoCalls) {
  start();
  for (std::size_t i = 0; i < EventDesk::kMostCalls; ++i) ASSERT_TRUE(desk_.post({}, 0));
  EXPECT_THAT(client().ask(post("{}")), StartsWith("HTTP/1.1 503"));
  (void)desk_.take();
  EXPECT_THAT(client().ask(post("{}")), StartsWith("HTTP/1.1 202"));
}

TEST_F(Server, LetsGoOfThoseWhoSendNothing) {
  start("127.0.0.1:0", "", 200);
  HttpClient silent = client(), slow = client();
  slow.send("POST /event HTTP/1.1\r\nContent-Le");
  EXPECT_EQ(silent.rest(), "");
  EXPECT_EQ(slow.rest(), "");
  EXPECT_TRUE(wait_until([&] { return client().ask(post("{}")).starts_with("HTTP/1.1 202"); }));
}

TEST_F(Server, AnswersAgainOnceTheCrowdHasGone) {
  start("127.0.0.1:0", "", 200);
  std::vector<HttpClient> crowd;
  for (std::size_t i = 0; i < 3 * EventServer::kMaxConnections; ++i) crowd.push_back(client());
  EXPECT_TRUE(wait_until([&] { return client().ask(post("{}")).starts_with("HTTP/1.1 202"); }));
}

TEST_F(Server, IsForItsUserAloneAndLeavesNothingBehind) {
  start("");
  struct stat status {};
  ASSERT_EQ(::stat(socket().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(server_->url(), "");
  server_.reset();
  EXPECT_THAT(runtime_.entries(), testing::IsEmpty());
}

TEST_F(Server, RefusesASecondOneAndTakesThePlaceOfADeadOne) {
  start();
  expect_error(reel::ErrorCode::in_use, {"\"door\"", "process ", "another name"}, [&] {
    EventServer second({runtime_.path(), "", "", 1000}, desk_);
  });
  const std::string port = server_->url().substr(std::string("http://").size());
  EventDesk other("other");
  expect_error(reel::ErrorCode::in_use, {port, "`http`"}, [&] {
    EventServer second({runtime_.path(), port, "", 1000}, other);
  });
  EXPECT_THAT(client().ask(post("{}")), StartsWith("HTTP/1.1 202"));
  server_.reset();
  HttpClient::leave_socket(socket());
  start();
  EXPECT_THAT(HttpClient::local(socket()).ask(post("{}")), StartsWith("HTTP/1.1 202"));
}

TEST(HttpAddress, IsLoopbackUnlessThereIsASecret) {
  EXPECT_EQ(http_address_from("127.0.0.1:9480", "").port, 9480);
  EXPECT_EQ(http_address_from("[::1]:0", "").address, "::1");
  EXPECT_EQ(http_address_from("0.0.0.0:80", kToken).address, "0.0.0.0");
  const auto refused = [](const std::string& text, const std::string& token, const std::string& why) {
    SCOPED_TRACE(text);
    expect_error(reel::ErrorCode::bad_config, {why}, [&] { (void)http_address_from(text, token); });
  };
  refused("0.0.0.0:80", "", "http_token");
  refused("[::]:80", "", "http_token");
  refused("192.168.1.2:80", "short", "16 or more");
  refused("127.0.0.1", "", "no port");
  refused("127.0.0.1:", "", "\"\" is no port");
  refused("127.0.0.1:70000", "", "\"70000\" is no port");
  refused("localhost:80", "", "no IP address");
  refused("127.0.0.1:80", "0123456789 abcdef", "no header can bear");
  refused("127.0.0.1:80", std::string(2000, 'x'), "1024 at most");
}

TEST(HttpAddress, TakesItsTokenFromAFileThatOthersCannotRead) {
  const reel_test::ScratchDir scratch;
  const auto file = [&](const std::string& text, mode_t mode) {
    const std::string path = scratch.write("token", text);
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  };
  EXPECT_EQ(token_from_file(file(std::string(kToken) + "\r\nsecond line\n", 0600)), kToken);
  EXPECT_EQ(token_from_file(file(kToken, 0440)), kToken);
  const auto refused = [&](const std::string& path, const std::string& why) {
    SCOPED_TRACE(path);
    try {
      (void)token_from_file(path);
      ADD_FAILURE() << "it was taken";
    } catch (const reel::Error& error) {
      EXPECT_EQ(error.code(), reel::ErrorCode::bad_config);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("http_token_file \"" + path + "\""), HasSubstr(why),
                                      testing::Not(HasSubstr(kToken))));
    }
  };
  const std::string path = scratch.file("token");
  refused(file(kToken, 0644), "(mode 644): chmod 600 \"" + path + "\"");
  refused(file(kToken, 0602), "(mode 602)");
  refused(file("\n" + std::string(kToken), 0600), "nothing in its first line");
  refused(scratch.file("none"), "No such file");
  refused(scratch.path(), "");
}

TEST(HttpAddress, KnowsItsOwnHosts) {
  for (const char* own : {"localhost", "localhost:80", "127.0.0.1:9480", "10.0.0.7", "[::1]", "[::1]:80"})
    EXPECT_TRUE(host_is_own(own)) << own;
  for (const char* other :
       {"", "evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil"})
    EXPECT_FALSE(host_is_own(other)) << other;
}

}  // namespace
}  // namespace record
