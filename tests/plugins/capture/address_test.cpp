// URIs with user names and passwords in them, and options that give them.
#include <map>

#include <address.hpp>
#include <gtest/gtest.h>
#include <options.hpp>
#include <reel_test/expect_error.hpp>
#include <reel_test/running_stage.hpp>
#include <reel_test/scratch_dir.hpp>
#include <source.hpp>

namespace capture_test {
namespace {

using namespace capture;
using reel::ErrorCode;
using reel_test::expect_error;

Address from(const std::map<std::string, std::string>& texts) {
  return address_from(reel::Options(kOptions, reel_test::options(texts), "/"));
}

TEST(Address, IsTheUriWithoutUserAndPassword) {
  const Address address = parse_address("rtsp://admin:pa%40ss%2Fw@camera.local:8554/live?channel=1");
  EXPECT_EQ(address.uri, "rtsp://camera.local:8554/live?channel=1");
  EXPECT_EQ(address.shown, address.uri);
  EXPECT_EQ(address.user, "admin");
  EXPECT_EQ(address.password, "pa@ss/w");
}

TEST(Address, MayHaveNeither) {
  const Address address = parse_address("RTSP://[::1]:8554/a@b");
  EXPECT_EQ(address.uri, "rtsp://[::1]:8554/a@b");
  EXPECT_EQ(address.user, "");
  EXPECT_EQ(address.password, "");
}

TEST(Address, TakesAnAtSignInThePasswordAsItIs) {
  const Address address = parse_address("http://me:a@b@host/x");
  EXPECT_EQ(address.uri, "http://host/x");
  EXPECT_EQ(address.password, "a@b");
}

TEST(Address, ShowsNoPasswordOfAQuery) {
  EXPECT_EQ(parse_address("http://host/video?user=me&pwd=s3cret&size=1").shown,
            "http://host/video?user=me&pwd=***&size=1");
  EXPECT_EQ(parse_address("rtsp://host/user=admin_password=tlJw_channel=1.sdp").shown,
            "rtsp://host/user=admin_password=***");
  EXPECT_EQ(parse_address("http://host/?token=abc").uri, "http://host/?token=abc");
}

TEST(Address, ThatIsWrongIsRefusedWithoutItsPassword) {
  for (const char* uri :
       {"rtsp://admin:s3/cret@host/x", "rtsp://admin:s3%zzcret@host/x", "rtsp://admin:s3cret@/x"}) {
    try {
      static_cast<void>(parse_address(uri));
      ADD_FAILURE() << uri;
    } catch (const reel::Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_config);
      EXPECT_EQ(error.message().find("s3"), std::string::npos) << error.message();
      EXPECT_NE(error.message().find('%'), std::string::npos) << error.message();
    }
  }
}

TEST(Address, OptionsGoBeforeTheUri) {
  const Address address = from({{"uri", "rtsp://a:b@host/x"}, {"user", "me"}, {"password", "mine"}});
  EXPECT_EQ(address.user, "me");
  EXPECT_EQ(address.password, "mine");
}

TEST(Address, TakesTheFirstLineOfAFile) {
  const reel_test::ScratchDir scratch;
  const std::string file = scratch.write("password", "from a file\r\nnot this\n");
  EXPECT_EQ(from({{"uri", "rtsp://host/x"}, {"user", "me"}, {"password_file", file}}).password,
            "from a file");
}

TEST(Address, RefusesWhatIsNotEnoughOrTooMuch) {
  const reel_test::ScratchDir scratch;
  const std::string empty = scratch.write("empty", "\n");
  const auto refused = [](std::initializer_list<std::string> words,
                          const std::map<std::string, std::string>& texts) {
    expect_error(ErrorCode::bad_config, words, [&] { static_cast<void>(from(texts)); });
  };
  refused({"no user name", "user"}, {{"uri", "rtsp://host/x"}, {"password", "s"}});
  refused({"both", "password_file"},
          {{"uri", "rtsp://me@host/x"}, {"password", "s"}, {"password_file", empty}});
  refused({empty, "first line"}, {{"uri", "rtsp://me@host/x"}, {"password_file", empty}});
  refused({"nowhere", "No such file"}, {{"uri", "rtsp://me@host/x"}, {"password_file", "/nowhere"}});
}

// "rtsp:/..." is a path like any other, and its file is not there: a message says so.
TEST(Secret, IsTakenOutOfAPathThatWasToBeAnAddress) {
  EXPECT_EQ(path_without_secret("/dir/rtsp:/admin:s3cret@host/x"), "/dir/rtsp:/admin:***@host/x");
  EXPECT_EQ(path_without_secret("/dir/rtsp:/admin:/s3@cret@host"), "/dir/rtsp:/admin:***@host");
  EXPECT_EQ(path_without_secret("rtsp:admin:s3cret@host"), "rtsp:***@host");
  EXPECT_EQ(path_without_secret("/dir/rtsp/admin:s3cret@host"), "/dir/rtsp/admin:***@host");
  EXPECT_EQ(path_without_secret("file:///rtsp://admin:s3cret@host"), "file:///rtsp://admin:***@host");
  for (const char* plain : {"/clips/10:30.mp4", "/clips/a@b.mp4", "file:///clips/a@b:c.mp4", "clip.mp4"})
    EXPECT_EQ(path_without_secret(plain), plain);
}

TEST(Secret, IsNotInTheMessageOfAPathThatWasToBeAnAddress) {
  const auto source = make_source(
      reel::Options(kOptions, reel_test::options({{"uri", "rtsp:/admin:s3cret@host/x"}}), "/nowhere"));
  try {
    source->check();
    ADD_FAILURE();
  } catch (const reel::Error& error) {
    EXPECT_EQ(error.message().find("s3cret"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("admin:***@host"), std::string::npos) << error.message();
  }
}

TEST(Secret, IsTakenOutOfATextAsItIsAndAsUrisEscapeIt) {
  EXPECT_EQ(without_secret("a/b then a%2Fb, a/b", "a/b"), "*** then ***, ***");
  EXPECT_EQ(without_secret("nothing", ""), "nothing");
}

}  // namespace
}  // namespace capture_test
