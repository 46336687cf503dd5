#include "stream_roles.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <reel_test/process_facts.hpp>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>

namespace stream_test {

namespace {

using reel_test::ChildProcess;
using reel_test::hear;
using reel_test::say;

constexpr int kReadTimeoutMs = 45'000;  // a watchdog, shorter than the parent's

std::uint64_t mixed(std::uint64_t value) noexcept {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

std::string setting(const std::vector<std::string>& arguments, const std::string& key,
                    const std::string& otherwise) {
  for (const std::string& argument : arguments) {
    if (argument.starts_with(key + "=")) return argument.substr(key.size() + 1);
  }
  return otherwise;
}

std::uint64_t number_setting(const std::vector<std::string>& arguments, const std::string& key,
                             std::uint64_t otherwise) {
  return std::stoull(setting(arguments, key, std::to_string(otherwise)));
}

std::vector<std::uint32_t> list_setting(const std::vector<std::string>& arguments, const std::string& key) {
  std::vector<std::uint32_t> numbers;
  std::istringstream words(setting(arguments, key, ""));
  for (std::string word; std::getline(words, word, ',');)
    numbers.push_back(static_cast<std::uint32_t>(std::stoul(word)));
  return numbers;
}

/// From here on this process is another user's. Its /proc entries become its own, as those of a program that
/// the user had started.
void become(const std::vector<std::string>& arguments) {
  const std::vector<std::uint32_t> user = list_setting(arguments, "user");
  if (user.empty()) return;
  const std::vector<std::uint32_t> groups = list_setting(arguments, "in_groups");
  if (::setgroups(groups.size(), groups.data()) != 0 || ::setgid(user[0]) != 0 || ::setuid(user[0]) != 0 ||
      ::prctl(PR_SET_DUMPABLE, 1) != 0)
    throw std::runtime_error("cannot become user " + std::to_string(user[0]));
}

reel::ReaderOptions reader_options(const std::vector<std::string>& arguments) {
  reel::ReaderOptions options;
  options.name = setting(arguments, "name", "");
  options.policy = reel::policy_from(setting(arguments, "policy", "queue")).value();
  options.start = reel::start_from(setting(arguments, "start", "live")).value();
  options.max_pins = static_cast<std::uint32_t>(number_setting(arguments, "pins", reel::kDefaultPins));
  options.verify = number_setting(arguments, "verify", 1) != 0;
  options.deliver_corrupted = number_setting(arguments, "corrupted", 0) != 0;
  options.reconnect = number_setting(arguments, "reconnect", 1) != 0;
  return options;
}

reel::WriterOptions writer_options(const std::vector<std::string>& arguments) {
  reel::WriterOptions options;
  options.slots = static_cast<std::uint32_t>(number_setting(arguments, "slots", 8));
  options.history = static_cast<std::uint32_t>(number_setting(arguments, "history", 1));
  options.slot_bytes = number_setting(arguments, "slot", number_setting(arguments, "bytes", kFrameBytes));
  options.live = number_setting(arguments, "live", 0) != 0;
  options.stall_timeout_ms = static_cast<int>(number_setting(arguments, "stall", 30'000));
  options.memory = reel::segment_kind_from(setting(arguments, "memory", "memfd")).value();
  options.allowed_users = list_setting(arguments, "users");
  options.allowed_groups = list_setting(arguments, "groups");
  options.allow_everyone = number_setting(arguments, "everyone", 0) != 0;
  return options;
}

/// What a reader saw, as "took" tells it.
struct Seen {
  std::uint64_t frames = 0, first = 0, last = 0, gaps = 0, discont = 0, missed = 0, bad = 0;
  std::vector<std::int64_t> times_ns = {};

  void add(const reel::Frame& frame) {
    times_ns.push_back(reel::monotonic_ns());
    if (frames == 0) first = frame.sequence();
    const bool discontinuous = (frame.info().flags & reel::kDiscont) != 0;
    if (last != 0 && !discontinuous && frame.sequence() <= last) ++bad;  // numbers never repeat within a life
    if (last != 0 && frame.sequence() > last) gaps += frame.sequence() - last - 1;
    last = frame.sequence();
    ++frames;
    discont += discontinuous ? 1 : 0;
    missed += frame.missed_before();
    if (frame.info().kind == reel::FrameKind::media && !pattern_holds(frame.data(), frame.info().offset))
      ++bad;
  }
};

/// Of the times between one frame and the next, in microseconds.
struct Intervals {
  std::int64_t median_us = 0, longest_us = 0;

  explicit Intervals(std::vector<std::int64_t> times_ns) {
    std::adjacent_difference(times_ns.begin(), times_ns.end(), times_ns.begin());
    if (times_ns.size() < 2) return;
    std::sort(times_ns.begin() + 1, times_ns.end());
    median_us = times_ns[1 + (times_ns.size() - 1) / 2] / 1000;
    longest_us = times_ns.back() / 1000;
  }
};

void take(reel::FrameReader& reader, std::uint64_t count, int delay_ms, std::uint64_t& last) {
  Seen seen;
  seen.last = last;
  reel::ReadStatus status = reel::ReadStatus::frame;
  reel::Frame frame;
  while (seen.frames < count) {
    status = reader.read(frame, kReadTimeoutMs);
    if (status != reel::ReadStatus::frame) break;
    seen.add(frame);
    if (delay_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
  }
  frame.release();
  last = seen.last;
  std::ostringstream answer;
  answer << "took " << seen.frames << ' ' << reel::to_string(status) << " first=" << seen.first
         << " last=" << seen.last << " gaps=" << seen.gaps << " discont=" << seen.discont
         << " missed=" << seen.missed << " bad=" << seen.bad;
  const Intervals intervals(std::move(seen.times_ns));
  answer << " median_us=" << intervals.median_us << " longest_us=" << intervals.longest_us;
  say(answer.str());
}

void hold(reel::FrameReader& reader, std::uint64_t count, std::deque<reel::Frame>& held) {
  reel::ReadStatus status = reel::ReadStatus::frame;
  while (held.size() < count) {
    reel::Frame frame;
    status = reader.read(frame, kReadTimeoutMs);
    if (status != reel::ReadStatus::frame) break;
    held.push_back(std::move(frame));
  }
  say("holding " + std::to_string(held.size()) + " " + std::string(reel::to_string(status)));
}

int read_stream(const std::vector<std::string>& arguments) {
  become(arguments);
  reel::FrameReader reader(arguments.at(0), reader_options(arguments));
  say("reading");
  std::deque<reel::Frame> held;
  std::uint64_t last = 0;
  while (const auto line = hear()) {
    std::istringstream words(*line);
    std::string command;
    std::uint64_t count = 0;
    int delay_ms = 0;
    words >> command >> count >> delay_ms;
    if (command == "take") take(reader, count, delay_ms, last);
    if (command == "hold") hold(reader, count, held);
    if (command == "check") {
      bool whole = true;
      for (const reel::Frame& frame : held) whole = whole && pattern_holds(frame.data(), frame.info().offset);
      say(whole ? "held frames whole" : "held frames damaged");
    }
    if (command == "release") {
      held.clear();
      say("released");
    }
    if (command == "stats") {
      const reel::ReaderStats stats = reader.stats();
      std::ostringstream answer;
      answer << "stats delivered=" << stats.delivered << " verified=" << stats.verified
             << " corrupted=" << stats.corrupted << " skipped=" << stats.skipped << " lapped=" << stats.lapped
             << " connects=" << stats.connects << " error=" << reader.error();
      say(answer.str());
    }
  }
  return 0;
}

class WritingRole {
 public:
  explicit WritingRole(const std::vector<std::string>& arguments)
      : writer_(arguments.at(0), writer_options(arguments)),
        bytes_(number_setting(arguments, "bytes", kFrameBytes)) {
    writer_.set_format(reel::Format());
  }

  void write(std::uint64_t count, int delay_us) {
    reel::WriteStatus status = reel::WriteStatus::ok;
    for (std::uint64_t i = 0; i < count && status == reel::WriteStatus::ok; ++i) {
      reel::Loan loan;
      status = writer_.acquire(loan, bytes_, kReadTimeoutMs);
      if (status != reel::WriteStatus::ok) break;
      fill_pattern(loan.data(), number_ + 1);
      reel::FrameInfo info;
      info.offset = ++number_;
      status = writer_.publish(std::move(loan), info);
      if (delay_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(delay_us));
    }
    say("wrote " + std::to_string(number_) + " " + std::string(reel::to_string(status)) + " " +
        writer_.error());
  }

  void obey(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    std::uint64_t count = 0;
    int delay_us = 0;
    words >> command >> count >> delay_us;
    if (command == "write") write(count, delay_us);
    if (command == "bytes") bytes_ = count;
    if (command == "run") {
      say("running");
      write(~std::uint64_t{0}, static_cast<int>(count));
    }
    if (command == "end") {
      writer_.end();
      say("ended");
    }
    if (command == "stats") {
      const reel::WriterStats stats = writer_.stats();
      std::ostringstream answer;
      answer << "stats published=" << stats.published << " waits=" << stats.waits
             << " demoted=" << stats.demoted << " refused=" << stats.refused << " epochs=" << stats.epochs;
      say(answer.str());
    }
  }

 private:
  reel::FrameWriter writer_;
  std::size_t bytes_;
  std::uint64_t number_ = 0;
};

int write_stream(const std::vector<std::string>& arguments) {
  become(arguments);
  WritingRole role(arguments);
  say("writing");
  while (const auto line = hear()) role.obey(*line);
  return 0;
}

const reel_test::Role kReader("reader", read_stream);
const reel_test::Role kWriter("writer", write_stream);

ChildProcess start(const char* role, const char* ready, const std::string& stream, const Settings& settings) {
  Settings arguments = {stream};
  arguments.insert(arguments.end(), settings.begin(), settings.end());
  ChildProcess child = ChildProcess::role(role, arguments);
  EXPECT_EQ(child.wait_for_line(ready), ready) << child.errors();
  return child;
}

}  // namespace

void fill_pattern(std::span<std::byte> bytes, std::uint64_t number) noexcept {
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = mixed(number * 0x9e3779b97f4a7c15U + at);
    std::memcpy(bytes.data() + at, &word, std::min(sizeof word, bytes.size() - at));
  }
}

bool pattern_holds(std::span<const std::byte> bytes, std::uint64_t number) noexcept {
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = mixed(number * 0x9e3779b97f4a7c15U + at);
    if (std::memcmp(bytes.data() + at, &word, std::min(sizeof word, bytes.size() - at)) != 0) return false;
  }
  return true;
}

std::vector<std::byte> pattern(std::size_t bytes, std::uint64_t number) {
  std::vector<std::byte> frame(bytes);
  fill_pattern(frame, number);
  return frame;
}

ChildProcess start_reader(const std::string& stream, const Settings& settings) {
  return start("reader", "reading", stream, settings);
}

ChildProcess start_writer(const std::string& stream, const Settings& settings) {
  return start("writer", "writing", stream, settings);
}

std::string ask(ChildProcess& child, const std::string& command, const std::string& start) {
  EXPECT_TRUE(child.send(command)) << child.errors();
  std::string answer = child.wait_for_line(start);
  EXPECT_FALSE(answer.empty()) << "no answer to " << command << '\n' << child.errors();
  return answer;
}

std::uint64_t field(const std::string& answer, const std::string& key) {
  const std::size_t at = answer.find(" " + key + "=");
  if (at == std::string::npos) {
    ADD_FAILURE() << "no " << key << " in: " << answer;
    return ~std::uint64_t{0};
  }
  return std::stoull(answer.substr(at + key.size() + 2));
}

std::uint64_t count_of(const std::string& answer) {
  std::istringstream words(answer);
  std::string first;
  std::uint64_t count = 0;
  words >> first >> count;
  return count;
}

std::string status_of(const std::string& answer) {
  std::istringstream words(answer);
  std::string first, second, status;
  words >> first >> second >> status;
  return status;
}

void StreamTest::write(reel::FrameWriter& writer, std::uint64_t count, std::uint32_t flags,
                       std::size_t bytes) {
  for (std::uint64_t i = 0; i < count; ++i) {
    reel::FrameInfo info;
    info.flags = flags;
    info.offset = ++number_;
    ASSERT_EQ(writer.write(pattern(bytes == 0 ? frame_bytes_ : bytes, number_), info), reel::WriteStatus::ok)
        << writer.error();
  }
}

void StreamTest::TearDown() {
  EXPECT_THAT(reel_test::shm_entries("." + stream_ + "."), ::testing::IsEmpty());
}

reel::FrameWriter EveryMemory::make_writer(reel::WriterOptions options, const reel::Format& format) const {
  options.memory = GetParam();
  if (options.slot_bytes == 0) options.slot_bytes = frame_bytes();
  return reel::FrameWriter(stream(), format, options);
}

std::string memory_name(const ::testing::TestParamInfo<reel::SegmentKind>& info) {
  return std::string(reel::to_string(info.param));
}

}  // namespace stream_test
