#include <reel/base/log.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

namespace reel {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;

// What `work` writes to standard error in a process of its own, line by line.
template <typename Work>
std::vector<std::string> lines_of(Work work) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    work();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);

  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

TEST(Log, WritesTextWithTimeLevelAndSource) {
  const auto lines = lines_of([] {
    configure_logging({.style = LogStyle::text, .least = LogLevel::info, .source = "camera"});
    log_debug("not seen");
    log_info("started");
    log_warning("slow");
    log_as("faces", LogLevel::error, "100% {} %v");
  });
  const std::string time = "[0-9][0-9]:[0-9][0-9]:[0-9][0-9]\\.[0-9][0-9][0-9] ";
  EXPECT_THAT(lines, ElementsAre(MatchesRegex(time + "info    camera: started"),
                                 MatchesRegex(time + "warning camera: slow"),
                                 MatchesRegex(time + "error   faces: 100% \\{\\} %v")));
}

TEST(Log, WritesWithoutBeingConfigured) {
  const auto lines = lines_of([] {
    log_debug("not seen");
    log_info("bare");
  });
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].ends_with(" info    bare")) << lines[0];
}

TEST(Log, WritesEverythingAboveTheLeastLevel) {
  const auto count = [](LogLevel least) {
    return lines_of([&] {
             configure_logging({.style = LogStyle::relay, .least = least, .source = {}});
             for (const LogLevel level :
                  {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error})
               log(level, "line");
           })
        .size();
  };
  EXPECT_EQ(count(LogLevel::debug), 4u);
  EXPECT_EQ(count(LogLevel::warning), 2u);
  EXPECT_EQ(count(LogLevel::error), 1u);
}

TEST(Log, WritesOneJsonObjectALineWhateverTheMessage) {
  const std::string odd = "quote \" newline \n bell \a percent %v {}";
  const auto lines = lines_of([&] {
    configure_logging({.style = LogStyle::json, .least = LogLevel::debug, .source = "camera"});
    log_warning(odd);
    log_as("faces", LogLevel::debug, "no UTF-8: \xff\xfe.");
  });
  ASSERT_EQ(lines.size(), 2u);
  const auto first = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(first.at("level"), "warning");
  EXPECT_EQ(first.at("stage"), "camera");
  EXPECT_EQ(first.at("message"), odd);
  EXPECT_THAT(first.at("time").get<std::string>(), MatchesRegex("20..-..-..T..:..:..\\....Z"));
  const auto second = nlohmann::json::parse(lines[1]);
  EXPECT_EQ(second.at("level"), "debug");
  EXPECT_EQ(second.at("stage"), "faces");
}

TEST(Log, RelaysLinesThatTheSupervisorParses) {
  const auto lines = lines_of([] {
    configure_logging({.style = LogStyle::relay, .least = LogLevel::debug, .source = "camera"});
    log_debug("d");
    log_info("i");
    log_warning("w");
    log_error("e");
  });
  EXPECT_THAT(lines, ElementsAre("<D> d", "<I> i", "<W> w", "<E> e"));
  EXPECT_EQ(parse_relay_line(lines[0]).level, LogLevel::debug);
  EXPECT_EQ(parse_relay_line(lines[1]).level, LogLevel::info);
  EXPECT_EQ(parse_relay_line(lines[2]).level, LogLevel::warning);
  EXPECT_EQ(parse_relay_line(lines[3]).level, LogLevel::error);
  EXPECT_EQ(parse_relay_line(lines[3]).text, "e");
}

TEST(Log, RelaysEveryLineOfAMessageAtItsLevel) {
  const auto lines = lines_of([] {
    configure_logging({.style = LogStyle::relay, .least = LogLevel::debug, .source = {}});
    log_error("first\nsecond\n");
  });
  EXPECT_THAT(lines, ElementsAre("<E> first", "<E> second"));
}

TEST(RelayLine, IsInfoAsItStandsInAnyOtherForm) {
  for (const char* line : {"", "<", "<E>", "<E>x", "<X> x", "(E) x", "plain", " <E> x", "<e> x"}) {
    EXPECT_EQ(parse_relay_line(line).level, LogLevel::info) << line;
    EXPECT_EQ(parse_relay_line(line).text, line);
  }
  EXPECT_EQ(parse_relay_line("<W> ").level, LogLevel::warning);
  EXPECT_EQ(parse_relay_line("<W> ").text, "");
}

}  // namespace
}  // namespace reel
