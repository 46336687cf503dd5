// The pipeline's side of its tools, with tools that misbehave. No process: the server is asked to serve.
#include "control_server.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/runtime_dir.hpp>
#include <sys/socket.h>

#include <reel/base/error.hpp>

namespace reel {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

const std::string kStatus = R"({"reel": 1, "ask": "status"})"
                            "\n";

class Controlled : public testing::Test {
 protected:
  [[nodiscard]] UniqueFd connect() const {
    auto socket = connect_for_control(runtime_.path(), "p");
    if (!socket) throw_errno(errno, "connecting");
    return std::move(*socket);
  }
  /// What it takes without waiting.
  static std::size_t send(const UniqueFd& tool, const std::string& text) {
    const ssize_t sent = ::send(tool.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  /// What has come, and whether the other side has gone.
  static std::string receive(const UniqueFd& tool, bool* gone = nullptr) {
    std::string all;
    std::array<char, 65536> buffer;
    ssize_t got = 0;
    while ((got = ::recv(tool.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0)
      all.append(buffer.data(), static_cast<std::size_t>(got));
    if (gone != nullptr) *gone = got == 0 || errno == EPIPE || errno == ECONNRESET;
    return all;
  }
  [[nodiscard]] std::size_t polled() const {
    std::vector<pollfd> polled;
    server_.add_polled(polled);
    return polled.size();
  }

  reel_test::TempRuntimeDir runtime_;
  int asked_ = 0;
  ControlServer server_{
      runtime_.path(),
      "p",
      {[this] {
         ++asked_;
         return PipelineStatus{std::string(100'000, 'x'), 1, false, {}, {}, {}};
       },
       [] {}, [](const std::string&) {},
       [](const std::string&, const std::vector<std::string>&) { return std::vector<std::string>(); },
       [] { return std::vector<TracedStage>(); }, [] {}}};
};

TEST_F(Controlled, AnswersOneRequestOfEachToolAtATime) {
  const UniqueFd tool = connect();
  send(tool, kStatus + kStatus + kStatus);
  server_.serve();
  EXPECT_EQ(asked_, 1);
  for (int i = 0; i < 10; ++i) {
    receive(tool);
    server_.serve();
  }
  EXPECT_EQ(asked_, 3);
  EXPECT_FALSE(server_.has_work());
}

TEST_F(Controlled, DoesNothingMoreForAToolThatTakesNoAnswers) {
  const UniqueFd tool = connect();
  std::string many;
  for (int i = 0; i < 1000; ++i) many += kStatus;
  ASSERT_GT(send(tool, many), 10'000U);
  for (int i = 0; i < 100; ++i) server_.serve();
  EXPECT_LE(asked_, 4) << "what fits into the socket, and one that waits";
  EXPECT_FALSE(server_.has_work());
  EXPECT_EQ(polled(), 2U) << "it is no reason to let it go";
}

TEST_F(Controlled, AFloodOfLinesOrALineWithoutEndHoldsNobodyUp) {
  const UniqueFd flood = connect(), endless = connect(), other = connect();
  const std::string lines(100'000, '\n'), part(100'000, 'x');
  bool gone = false;
  for (int i = 0; i < 200 && !gone; ++i) {
    send(flood, lines);
    send(endless, part);
    server_.serve();
    receive(flood);
    receive(endless, &gone);
  }
  EXPECT_TRUE(gone) << "beyond 4 MB";
  send(other, kStatus);
  server_.serve();
  EXPECT_THAT(receive(other), HasSubstr("\"done\""));
}

TEST_F(Controlled, AnswersOneThatSaysNoMoreAndListens) {
  const UniqueFd tool = connect();
  send(tool, kStatus);
  ::shutdown(tool.get(), SHUT_WR);
  std::string answer;
  for (int i = 0; i < 10; ++i) {
    server_.serve();
    answer += receive(tool);
  }
  EXPECT_THAT(answer, HasSubstr("\"done\""));
  EXPECT_EQ(polled(), 1U) << "and then it is let go";
}

TEST_F(Controlled, TellsOneToolTooManyHowManyThereAre) {
  std::vector<UniqueFd> tools;
  for (std::size_t i = 0; i < ControlServer::kMostClients; ++i) {
    tools.push_back(connect());
    server_.serve();
  }
  const UniqueFd last = connect();
  server_.serve();
  bool gone = false;
  EXPECT_THAT(receive(last, &gone), HasSubstr("is looked at by 64 tools already"));
  EXPECT_TRUE(gone);
  EXPECT_EQ(polled(), 1 + ControlServer::kMostClients);
}

TEST_F(Controlled, ItsNameIsNotFreeWhileItIsTooBusyToAnswer) {
  std::vector<UniqueFd> waiting;
  while (auto socket = connect_for_control(runtime_.path(), "p")) waiting.push_back(std::move(*socket));
  ASSERT_EQ(errno, EAGAIN) << "as many wait as can";
  reel_test::expect_error(ErrorCode::in_use, {"\"p\" runs already"},
                          [&] { (void)listen_for_control(runtime_.path(), "p"); });
  EXPECT_THAT(list_pipelines(), testing::ElementsAre("p"));
  reel_test::expect_error(ErrorCode::timeout, {"\"p\"", "60 ms"}, [] { PipelineControl("p", 60); });
  EXPECT_THAT(sweep_control(runtime_.path()), SizeIs(0));
}

TEST_F(Controlled, KeepsAsMuchOfItsLogAsOneAnswerCarries) {
  // Bytes that are six each on the way.
  for (int i = 0; i < 1000; ++i) server_.add_log({i, "stage", LogLevel::info, std::string(16'000, '\1')});
  const UniqueFd tool = connect();
  send(tool, R"({"reel": 1, "ask": "logs", "lines": 2000})"
             "\n");
  std::string all;
  for (int i = 0; i < 10'000 && all.find("\"done\"") == std::string::npos; ++i) {
    server_.serve();
    all += receive(tool);
  }
  EXPECT_THAT(all, HasSubstr("\"time_ns\":999"));
  EXPECT_NE(all.find("\"done\""), std::string::npos);
}

TEST(ControlServerEnd, TellsWhoeverFollowsItsLog) {
  const reel_test::TempRuntimeDir runtime;
  std::optional<ControlServer> server(std::in_place, runtime.path(), "p", ControlHandlers{});
  auto tool = connect_for_control(runtime.path(), "p");
  ASSERT_TRUE(tool);
  const std::string ask = R"({"reel": 1, "ask": "logs", "follow": true})"
                          "\n";
  ASSERT_EQ(::send(tool->get(), ask.data(), ask.size(), 0), static_cast<ssize_t>(ask.size()));
  server->serve();
  server.reset();
  std::array<char, 100> answer{};
  ASSERT_GT(::recv(tool->get(), answer.data(), answer.size() - 1, MSG_DONTWAIT), 0);
  EXPECT_STREQ(answer.data(), "{\"done\":{\"lines\":[]}}\n");
}

}  // namespace
}  // namespace reel
