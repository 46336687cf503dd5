#include <gtest/gtest.h>
#include <reel_test/expect_error.hpp>

#include <reel/service/listen_address.hpp>

namespace reel {
namespace {

TEST(ListenAddress, IsReadAsItIsWritten) {
  for (const char* text : {"127.0.0.1:9477", "0.0.0.0:0", "[::1]:80", "[2001:db8::1]:65535"})
    EXPECT_EQ(listen_address_from(text).text(), text);
  EXPECT_EQ(listen_address_from("localhost:1").text(), "127.0.0.1:1");
  EXPECT_EQ(listen_address_from("9477").text(), "127.0.0.1:9477");
}

TEST(ListenAddress, KnowsThoseOfThisMachineAlone) {
  for (const char* text : {"127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "1"})
    EXPECT_TRUE(listen_address_from(text).loopback()) << text;
  for (const char* text : {"0.0.0.0:1", "10.0.0.1:1", "[::]:1"})
    EXPECT_FALSE(listen_address_from(text).loopback()) << text;
}

TEST(ListenAddress, IsRefusedOtherwise) {
  using std::string;
  for (const string& text : {string(), string(":"), string(":80"), string("127.0.0.1"), string("127.0.0.1:"),
                             string("127.0.0.1:65536"), string("127.0.0.1:-1"), string("127.0.0.1: 80"),
                             string("::1:80"), string("[127.0.0.1]:80"), string("[::1]"), string("name:80"),
                             string("80x"), string("127.0.0.1\0x:80", 14)})
    reel_test::expect_error(ErrorCode::bad_config, {"is no address to listen at", "127.0.0.1:9477"},
                            [&] { (void)listen_address_from(text); });
}

}  // namespace
}  // namespace reel
