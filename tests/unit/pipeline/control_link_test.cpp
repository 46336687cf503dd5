#include "control_link.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <reel_test/process_facts.hpp>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace reel {
namespace {

using ::testing::ElementsAre;
using Side = ControlLink::Side;

struct Links {
  Links() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
    pipeline.emplace(UniqueFd(ends[0]), Side::pipeline);
    tool.emplace(UniqueFd(ends[1]), Side::tool);
  }
  std::optional<ControlLink> pipeline, tool;
};

template <typename Take>
bool receive(ControlLink& link, Take&& take) {
  const bool open = link.receive();
  while (const auto line = link.next()) take(*line);
  return open;
}

// A file of its own for each number.
UniqueFd numbered(const std::string& number) {
  UniqueFd fd(::memfd_create("numbered", MFD_CLOEXEC));
  EXPECT_EQ(::pwrite(fd.get(), number.data(), number.size(), 0), static_cast<ssize_t>(number.size()));
  return fd;
}

std::string number_of(const UniqueFd& fd) {
  std::array<char, 16> text{};
  const ssize_t got = ::pread(fd.get(), text.data(), text.size(), 0);
  return got < 0 ? "none" : std::string(text.data(), static_cast<std::size_t>(got));
}

TEST(ControlLink, BringsADescriptorWithItsLine) {
  Links links;
  links.pipeline->send("first");
  links.pipeline->send("second", numbered("2"));
  links.pipeline->send("third", numbered("3"));
  links.pipeline->send("fourth");
  ASSERT_TRUE(links.pipeline->flush());
  std::vector<std::string> came;
  EXPECT_TRUE(receive(*links.tool, [&](std::string_view line) {
    const bool has = line == "second" || line == "third";
    came.push_back(std::string(line) + (has ? " " + number_of(links.tool->take_descriptor()) : ""));
  }));
  EXPECT_THAT(came, ElementsAre("first", "second 2", "third 3", "fourth"));
  EXPECT_FALSE(links.tool->take_descriptor()) << "each once";
}

TEST(ControlLink, BringsEachOneThroughASocketThatIsOftenFull) {
  Links links;
  const std::string padding(100'000, 'x');
  for (int i = 0; i < 40; ++i) links.pipeline->send(padding, numbered(std::to_string(i)));
  int came = 0;
  while (came < 40) {
    ASSERT_TRUE(links.pipeline->flush());
    ASSERT_TRUE(receive(*links.tool, [&](std::string_view line) {
      EXPECT_EQ(line.size(), padding.size());
      EXPECT_EQ(number_of(links.tool->take_descriptor()), std::to_string(came));
      ++came;
    }));
  }
}

TEST(ControlLink, ClosesThoseThatNobodyTakes) {
  const std::size_t before = reel_test::open_descriptors();
  {
    Links links;
    for (int i = 0; i < 10; ++i) links.pipeline->send("line", numbered("1"));
    ASSERT_TRUE(links.pipeline->flush());
    EXPECT_TRUE(receive(*links.tool, [](std::string_view) {}));
    links.pipeline->send("never flushed", numbered("2"));
  }
  EXPECT_EQ(reel_test::open_descriptors(), before);
}

// A pipeline is nobody's place to leave descriptors.
TEST(ControlLink, TakesNoneOnThePipelinesSide) {
  Links links;
  const std::size_t before = reel_test::open_descriptors();
  links.tool->send("here", numbered("1"));
  ASSERT_TRUE(links.tool->flush());
  int lines = 0;
  EXPECT_TRUE(receive(*links.pipeline, [&](std::string_view) { ++lines; }));
  EXPECT_EQ(lines, 1);
  EXPECT_FALSE(links.pipeline->take_descriptor());
  EXPECT_EQ(reel_test::open_descriptors(), before);
}

TEST(ControlLink, EndsWithAPeerThatSendsThemWithoutEnd) {
  Links links;
  bool open = true;
  for (std::size_t i = 0; i <= ControlLink::kMostDescriptors && open; ++i) {
    links.pipeline->send("line", numbered("1"));
    ASSERT_TRUE(links.pipeline->flush());
    open = receive(*links.tool, [](std::string_view) {});
  }
  EXPECT_FALSE(open);
}

}  // namespace
}  // namespace reel
