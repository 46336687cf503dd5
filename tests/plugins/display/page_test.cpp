// The display's page as its clients see it: good ones, slow ones and hostile ones.
#include "display_fixture.hpp"

#include <cmath>
#include <list>

#include <gmock/gmock.h>
#include <opencv2/imgcodecs.hpp>
#include <reel_test/expect_error.hpp>
#include <unistd.h>

namespace {

using namespace reel;
using ::testing::HasSubstr;

class DisplayPage : public DisplayFixture {};

TEST_F(DisplayPage, ShowsPictureLevelAndCounters) {
  start_page();
  show_until_seen({40, 120, 200});
  sound(-20.5F, -6.25F);
  ASSERT_TRUE(reel_test::wait_until([&] { return status()["streams"][1]["delivered"] == 1; }));

  const nlohmann::json now = status();
  EXPECT_EQ(now["stage"], "screen");
  EXPECT_EQ(now["picture"], picture_name_);
  const auto& picture = now["streams"][0];
  EXPECT_EQ(picture["stream"], picture_name_);
  EXPECT_EQ(picture["kind"], "video");
  EXPECT_EQ(picture["state"], "running");
  EXPECT_EQ(picture["width"], 320);
  EXPECT_EQ(picture["verified"], picture["delivered"]);
  EXPECT_EQ(picture["corrupted"], 0);
  EXPECT_FLOAT_EQ(now["streams"][1]["level"]["rms_dbfs"][0].get<float>(), -20.5F);
  EXPECT_FLOAT_EQ(now["streams"][1]["level"]["peak_dbfs"][0].get<float>(), -6.25F);

  const Answer jpeg = get(port_, "/snapshot.jpg?stream=" + picture_name_);
  EXPECT_EQ(jpeg.status, 200);
  const cv::Mat decoded =
      cv::imdecode(std::vector<char>(jpeg.body.begin(), jpeg.body.end()), cv::IMREAD_COLOR);
  ASSERT_EQ(decoded.size(), cv::Size(320, 240));
  EXPECT_LE(cv::norm(decoded, cv::Mat(240, 320, CV_8UC3, cv::Scalar(40, 120, 200)), cv::NORM_INF), 6);

  const Answer page = get(port_, "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.head, HasSubstr("text/html"));
  EXPECT_THAT(page.body, HasSubstr("</html>"));
  finish();
}

TEST_F(DisplayPage, StreamsEachNewPicture) {
  start_page({{"max_fps", "240"}});
  show_until_seen({40, 120, 200});
  PageClient watcher(port_);
  watcher.send("GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  EXPECT_THAT(watcher.read_until("\r\n\r\n"), HasSubstr("multipart/x-mixed-replace; boundary=reel-picture"));
  // Two pictures of different colour, each whole before the next begins.
  const std::string part = "--reel-picture\r\nContent-Type: image/jpeg\r\nContent-Length: ";
  ASSERT_THAT(watcher.read_until(part), HasSubstr(part));
  const auto parts = [&] {
    std::size_t count = 0;
    const std::string& all = watcher.received();
    for (std::size_t at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) ++count;
    return count;
  };
  double red = 0;
  EXPECT_TRUE(reel_test::wait_until([&] {
    show({40, 120, red = std::fmod(red + 40, 255)});
    watcher.read_some();
    return parts() >= 5;
  }));
  finish();
  (void)watcher.read_all();
  EXPECT_TRUE(watcher.at_end()) << "the connection is closed at the end";
}

TEST_F(DisplayPage, GoesOnWhenClientsNeverRead) {
  start_page({{"max_fps", "240"}});
  show_until_seen({40, 120, 200});
  std::list<PageClient> silent;
  for (int i = 0; i < 10; ++i) {
    silent.emplace_back(port_);
    silent.back().send("GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  }
  const auto delivered = [&] { return status()["streams"][0]["delivered"].get<int>(); };
  const int before = delivered();
  for (int i = 0; i < 300; ++i) show({40, 120, static_cast<double>(i % 256)});
  EXPECT_TRUE(reel_test::wait_until(
      [&] { return delivered() + status()["streams"][0]["lapped"].get<int>() >= before + 300; }));
  finish();
}

TEST_F(DisplayPage, BoundsConnections) {
  start_page();
  std::list<PageClient> idle;
  for (int i = 0; i < 32; ++i) idle.emplace_back(port_);
  EXPECT_TRUE(reel_test::wait_until([&] { return get(port_, "/").status == 503; }));
  idle.clear();
  EXPECT_TRUE(reel_test::wait_until([&] { return get(port_, "/").status == 200; }));
  finish();
}

TEST_F(DisplayPage, AnswersBadRequestsAndGoesOn) {
  start_page();
  const std::string host = "Host: localhost\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(ask(port_, "GET /nothing HTTP/1.1\r\n" + host).status, 404);
  EXPECT_EQ(ask(port_, "GET /stream.mjpg?stream=nobody HTTP/1.1\r\n" + host).status, 404);
  EXPECT_EQ(ask(port_, "GET /snapshot.jpg?stream=%6eobody%zz HTTP/1.1\r\n" + host).status, 404);
  EXPECT_EQ(ask(port_, "GET /snapshot.jpg HTTP/1.1\r\n" + host).status, 503) << "no picture yet";
  EXPECT_EQ(ask(port_, "POST / HTTP/1.1\r\nContent-Length: 0\r\n" + host).status, 405);
  EXPECT_EQ(ask(port_, "\x16\x03\x01\x02 not HTTP at all\r\n\r\n").status, 400);
  EXPECT_EQ(ask(port_, "GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n" + host).status, 400);
  EXPECT_EQ(ask(port_, "GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n" + host).status, 400);
  const Answer head = ask(port_, "HEAD / HTTP/1.1\r\n" + host);
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.body.empty());
  EXPECT_EQ(get(port_, "/").status, 200);
  finish();
}

TEST_F(DisplayPage, AnswersOnlyToItsOwnNames) {
  start_page();
  const auto host = [&](const std::string& name) {
    return ask(port_, "GET / HTTP/1.1\r\nHost: " + name + "\r\nConnection: close\r\n\r\n").status;
  };
  EXPECT_EQ(host("127.0.0.1:8090"), 200);
  EXPECT_EQ(host("[::1]:8090"), 200);
  EXPECT_EQ(host("localhost"), 200);
  EXPECT_EQ(host("evil.example"), 403);
  EXPECT_EQ(host("127.0.0.1.evil.example:8090"), 403);
  EXPECT_EQ(host("[::1"), 403);
  EXPECT_EQ(ask(port_, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n").status, 403);
  finish();
}

TEST_F(DisplayPage, NamesWhoHoldsItsPort) {
  const TakenPort taken;
  ASSERT_NE(taken.number(), 0);
  start({{"port", std::to_string(taken.number())}});
  reel_test::expect_error(
      ErrorCode::in_use,
      {"port " + std::to_string(taken.number()), "process " + std::to_string(::getpid()), "option `port`"},
      [&] { stage_->join(); });
}

TEST_F(DisplayPage, RefusesWhatIsNoAddress) {
  start({{"bind", "localhost:80"}});
  reel_test::expect_error(ErrorCode::bad_config, {"localhost:80", "127.0.0.1"}, [&] { stage_->join(); });
}

TEST_F(DisplayPage, MarksAStreamThatEnded) {
  start_page();
  show_until_seen({40, 120, 200});
  picture_->end();
  EXPECT_TRUE(reel_test::wait_until([&] { return status()["streams"][0]["state"] == "ended"; }));
  EXPECT_EQ(get(port_, "/snapshot.jpg").status, 200) << "the last picture stays";
  finish();
  EXPECT_FALSE(PageClient(port_).connected()) << "the page has gone with the stage";
}

}  // namespace
