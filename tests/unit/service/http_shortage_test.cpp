// The server where clients are slow, too many, or there is nothing left for them.
#include "served.hpp"

#include <list>
#include <string>

#include <gmock/gmock.h>
#include <reel_test/process_facts.hpp>
#include <sys/resource.h>
#include <unistd.h>

namespace reel {
namespace {

using reel_test::get;
using reel_test::PageClient;
using reel_test::wait_until;
using ::testing::HasSubstr;

constexpr const char* kAsk = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

class ServedInTime : public Served {
 protected:
  ServedInTime() : Served(HttpPatience{200, 60'000}) {}
};

TEST_F(ServedInTime, LetsGoOfAClientWhoseRequestComesByteByByte) {
  PageClient slow(port_);
  slow.send("GET /metrics HTTP/1.1\r\nX-Slow: ");
  EXPECT_TRUE(wait_until([&] {
    slow.send("x");
    return slow.is_let_go();
  }));
  EXPECT_EQ(get(port_, "/metrics").status, 200);
}

TEST_F(ServedInTime, LetsGoOfAClientThatAsksNoMore) {
  PageClient idle(port_);
  idle.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  idle.read_until("up 1\n");
  EXPECT_TRUE(wait_until([&] { return idle.is_let_go(); }));
}

TEST_F(ServedInTime, LetsGoOfAClientThatDoesNotTakeItsAnswer) {
  large_ = std::size_t{32} << 20;  // more than sockets hold
  EXPECT_EQ(get(port_, "/metrics").status, 200);
  const std::size_t before = reel_test::open_descriptors();
  PageClient client(port_);
  client.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(wait_until([&] { return client.has_something(); }));
  EXPECT_TRUE(wait_until([&] { return reel_test::open_descriptors() <= before + 1; })) << "its own is one";
  EXPECT_EQ(get(port_, "/metrics").status, 200);
}

class ServedByASlowOwner : public Served {
 protected:
  ServedByASlowOwner() : Served(HttpPatience{60'000, 100}) { silent_ = true; }
};

TEST_F(ServedByASlowOwner, SaysThatTheServiceDoesNotAnswer) {
  const auto answer = get(port_, "/health");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("does not answer"));
  silent_ = false;
  EXPECT_TRUE(wait_until([&] { return get(port_, "/health").body.find("made") != std::string::npos; }));
}

class ServedToMany : public Served {
 protected:
  ServedToMany() : Served(HttpPatience{60'000, 60'000}) {}
};

TEST_F(ServedToMany, TellsThoseBeyondItsPlacesThatThereAreTooMany) {
  std::list<PageClient> waiting;
  silent_ = true;
  for (std::size_t i = 0; i + 1 < HttpServer::kMostClients; ++i) {
    waiting.emplace_back(port_);
    waiting.back().send(kAsk);
  }
  PageClient last(port_);  // once it is answered, the others have been heard
  last.send("PUT / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(last.read_all(), HasSubstr("405"));
  // The first of these gets the last place.
  EXPECT_TRUE(wait_until([&] {
    PageClient more(port_);
    more.send(kAsk);
    return wait_until([&] { return more.is_let_go() || more.has_something(); },
                      std::chrono::milliseconds(50)) &&
           more.read_all().find("too many clients") != std::string::npos;
  }));
  silent_ = false;
  for (PageClient& client : waiting) EXPECT_THAT(client.read_all(), HasSubstr("up 1"));
  EXPECT_EQ(get(port_, "/metrics").status, 200);
}

// No descriptor beyond those that are open, while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(0);  // the lowest that is free
    ::close(next);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next);
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_F(ServedToMany, AnswersAgainOnceThereAreDescriptors) {
  PageClient client;  // has its descriptor
  {
    const NoDescriptors none;
    client.connect(port_);  // the kernel takes it; the server cannot
    client.send(kAsk);
    EXPECT_FALSE(wait_until([&] { return client.has_something(); }, std::chrono::milliseconds(300)));
  }
  EXPECT_THAT(client.read_all(), HasSubstr("up 1"));
  EXPECT_EQ(get(port_, "/metrics").status, 200);
}

}  // namespace
}  // namespace reel
