// The server where there is no memory for a client.
#include "scarce_memory.hpp"
#include "served.hpp"

namespace reel {
namespace {

using ServedInScarcity = Served;

TEST_F(ServedInScarcity, AnswersAgainOnceThereIsMemory) {
  EXPECT_EQ(reel_test::get(port_, "/metrics").status, 200);
  {
    const reel_test::ScarceMemory scarce(256);
    reel_test::PageClient client(port_);
    client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    ASSERT_TRUE(reel_test::wait_until([&] { return scarce.refusals() > 0; }));
  }
  EXPECT_EQ(reel_test::get(port_, "/metrics").status, 200);
}

}  // namespace
}  // namespace reel
