// `reel verify`: joins a stream as a reader and checks the sequence number and checksum of a number of
// frames.
#include "commands.hpp"
#include "json_output.hpp"
#include "validators.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <signal.h>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/channel/frame_reader.hpp>

namespace {

constexpr std::uint64_t kMostFrames = 1'000'000'000'000;
constexpr std::size_t kMostNamed = 32;  // corrupted frames that are named, the rest is counted

struct VerifyOptions {
  std::string stream;
  std::uint64_t frames = 0;
  std::string policy = "queue";
  std::string start = "live";
  int timeout_s = 10;
  bool json = false;
};

struct Verdict {
  reel::ReadStatus last = reel::ReadStatus::empty;
  reel::ReaderStats counts;
  std::uint64_t frames = 0;  // looked at
  std::uint64_t missed = 0;
  std::uint64_t out_of_order = 0;
  std::uint64_t unchecked = 0;  // carried no checksum
  std::uint64_t damaged = 0;    // came with a wrong checksum; those with a wrong header do not even come
  std::uint64_t first_sequence = 0, last_sequence = 0;
  std::vector<std::uint64_t> corrupted;  // sequences of the damaged, the first kMostNamed
};

/// Makes SIGINT and SIGTERM end the reading instead of the process, so that the counts are printed.
class SignalInterrupts {
 public:
  SignalInterrupts() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);  // before the reader's threads are made: they inherit it
  }
  void watch(reel::FrameReader& reader) {
    watcher_ = std::jthread([this, &reader](const std::stop_token& stop) {
      const timespec slice{0, 20'000'000};
      while (!stop.stop_requested()) {
        if (sigtimedwait(&signals_, nullptr, &slice) > 0) return reader.interrupt();
      }
    });
  }

 private:
  sigset_t signals_{};
  std::jthread watcher_;
};

void look_at(const reel::Frame& frame, Verdict& verdict) {
  if (verdict.frames == 0) verdict.first_sequence = frame.sequence();
  if (verdict.frames > 0 && frame.sequence() <= verdict.last_sequence) ++verdict.out_of_order;
  if (verdict.frames > 0) verdict.missed += frame.missed_before();
  verdict.last_sequence = std::max(verdict.last_sequence, frame.sequence());
  ++verdict.frames;
  if (frame.verified()) return;
  if ((frame.info().flags & reel::kCorrupted) == 0) {
    ++verdict.unchecked;
    return;
  }
  ++verdict.damaged;
  if (verdict.corrupted.size() < kMostNamed) verdict.corrupted.push_back(frame.sequence());
}

Verdict verify(const VerifyOptions& options) {
  reel::ReaderOptions join;
  if (std::getenv(reel::kReaderNameVariable) == nullptr) join.name = "reel-verify";
  join.policy = reel::policy_from(options.policy).value();
  join.start = reel::start_from(options.start).value();
  join.deliver_corrupted = true;  // to name them
  join.reconnect = false;
  SignalInterrupts interrupts;
  reel::FrameReader reader(options.stream, join);
  interrupts.watch(reader);
  Verdict verdict;
  reel::Frame frame;
  while (verdict.frames < options.frames) {
    verdict.last = reader.read(frame, options.timeout_s * 1000);
    if (verdict.last == reel::ReadStatus::failed)
      throw reel::Error(reel::ErrorCode::io, reader.error(), options.stream);
    if (verdict.last != reel::ReadStatus::frame) break;
    look_at(frame, verdict);
  }
  frame.release();
  verdict.counts = reader.stats();
  return verdict;
}

/// Why it stopped before its number of frames; empty when it did not.
std::string shortfall(const VerifyOptions& options, const Verdict& verdict) {
  switch (verdict.last) {
    case reel::ReadStatus::frame: return {};
    case reel::ReadStatus::ended:
      return verdict.frames > 0 ? "" : "the stream has ended: no frame was left to verify";
    case reel::ReadStatus::closed: return "the writer went away without ending the stream";
    case reel::ReadStatus::interrupted: return "interrupted";
    default: return fmt::format("no frame came for {} s (see --timeout)", options.timeout_s);
  }
}

void print_counts_json(const VerifyOptions& options, const Verdict& verdict, bool good) {
  const nlohmann::json all = {{"stream", options.stream},
                              {"policy", options.policy},
                              {"asked", options.frames},
                              {"frames", verdict.frames},
                              {"delivered", verdict.counts.delivered},
                              {"verified", verdict.counts.verified},
                              {"corrupted", verdict.counts.corrupted},
                              {"unchecked", verdict.unchecked},
                              {"skipped", verdict.counts.skipped},
                              {"lapped", verdict.counts.lapped},
                              {"missed", verdict.missed},
                              {"out_of_order", verdict.out_of_order},
                              {"first_sequence", verdict.first_sequence},
                              {"last_sequence", verdict.last_sequence},
                              {"corrupted_sequences", verdict.corrupted},
                              {"stopped_by", reel::to_string(verdict.last)},
                              {"ok", good}};
  print_json(all);
}

void print_text(const VerifyOptions& options, const Verdict& verdict) {
  fmt::print("{}: {} of {} frames (sequence {} to {}): {} verified, {} corrupted, {} without checksum, ",
             options.stream, verdict.frames, options.frames, verdict.first_sequence, verdict.last_sequence,
             verdict.counts.verified, verdict.counts.corrupted, verdict.unchecked);
  fmt::print("{} skipped, {} lapped, {} out of order\n", verdict.counts.skipped, verdict.counts.lapped,
             verdict.out_of_order);
  if (verdict.damaged > 0)
    fmt::print("corrupted: {}{}\n", fmt::join(verdict.corrupted, " "),
               verdict.damaged > verdict.corrupted.size() ? " ..." : "");
  if (verdict.counts.corrupted > verdict.damaged)
    fmt::print("corrupted in their headers, and passed over: {}\n",
               verdict.counts.corrupted - verdict.damaged);
}

int report(const VerifyOptions& options, const Verdict& verdict) {
  std::string problem = shortfall(options, verdict);
  if (problem.empty() && verdict.frames > 0 && verdict.unchecked == verdict.frames)
    problem = "the writer computes no checksums (checksum: none), so only sequence numbers were checked";
  const bool good = problem.empty() && verdict.counts.corrupted == 0 && verdict.out_of_order == 0;
  if (options.json) {
    print_counts_json(options, verdict, good);
  } else {
    print_text(options, verdict);
  }
  if (!problem.empty()) fmt::print(stderr, "reel: {}: {}\n", options.stream, problem);
  return good ? 0 : 1;
}

}  // namespace

void add_verify(CLI::App& app, CommandResult& result) {
  CLI::App* command =
      app.add_subcommand("verify", "Join a stream and verify the checksum of its next frames");
  auto options = std::make_shared<VerifyOptions>();
  command->add_option("STREAM", options->stream, "Name of the stream, see `reel ls`")->required();
  command->add_option("--frames", options->frames, "How many frames to verify")
      ->required()
      ->check(whole_number(1, kMostFrames));
  command->add_option("--policy", options->policy, "What to ask of the writer")
      ->check(CLI::IsMember({"lossless", "queue", "latest"}))
      ->capture_default_str();
  command->add_option("--start", options->start, "Where to begin")
      ->check(CLI::IsMember({"live", "oldest", "keyframe"}))
      ->capture_default_str();
  command->add_option("--timeout", options->timeout_s, "Seconds to wait for a frame")
      ->check(whole_number(1, kMostSeconds))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print an object with the counts");
  command->footer(
      "Example: reel verify camera --frames 100\n"
      "Ends with status 1 when a frame was corrupted, or when nothing could be verified.");
  command->callback([options, &result] { result.status = report(*options, verify(*options)); });
}
