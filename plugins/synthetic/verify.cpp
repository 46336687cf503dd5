// synthetic.verify: checks every byte and every number of a stream, and says at its end what it found.
#include "pattern.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <reel/base/clock.hpp>
#include <reel/base/log.hpp>
#include <reel/stage/plugin.hpp>

namespace reel::synthetic {
namespace {

constexpr std::array kInputs{PortSpec{"in", kTakesAny, "the stream to check"}};
constexpr std::array kOptions{
    OptionSpec{"pattern", OptionType::text, "synthetic",
               "synthetic: every byte must be synthetic.source's; none: only sequence numbers, timestamps "
               "and checksums, of any stream",
               "synthetic|none"},
    OptionSpec{"delay_ms", OptionType::integer, "0",
               "how long each frame is held: a slow reader, milliseconds", "0..3600000"}};

constexpr std::uint64_t kLoggedFaults = 5;  // each further one is only counted

class Verify final : public Stage {
 public:
  void configure(const Options& options) override;
  void process(StageContext& context, Input& input, const Frame& frame) override;
  void other(StageContext& context, Input& input, const Frame& frame) override;
  void stop(StageContext& context) override;

 private:
  [[nodiscard]] std::uint64_t number_of(const Frame& frame);
  void follow(Input& input, const Frame& frame, std::uint64_t number);
  void check_time(const Frame& frame);
  void fault(const std::string& what);

  bool synthetic_ = true;
  std::int64_t delay_ns_ = 0;
  std::optional<Pattern> pattern_;
  Format pattern_format_;
  std::uint64_t frames_ = 0;
  std::uint64_t gaps_ = 0;        // numbers that never came, whatever became of them
  std::uint64_t duplicates_ = 0;  // numbers that had come before
  std::uint64_t damaged_ = 0;     // frames whose checksum was right and whose bytes were not
  std::uint64_t disordered_ = 0;  // timestamps before the one before
  std::uint64_t restarts_ = 0;    // other writers met: their numbers begin anew
  std::uint64_t faults_ = 0;
  std::uint64_t expected_ = 0;
  std::uint64_t writers_ = 0;  // met so far
  std::int64_t last_time_ns_ = kNoTime;
};

void Verify::configure(const Options& options) {
  synthetic_ = options.text("pattern") == "synthetic";
  delay_ns_ = options.integer("delay_ms") * 1'000'000;
}

void Verify::process(StageContext& context, Input& input, const Frame& frame) {
  ++frames_;
  follow(input, frame, number_of(frame));
  check_time(frame);
  const std::int64_t until_ns = monotonic_ns() + delay_ns_;
  for (std::int64_t now_ns = until_ns - delay_ns_; now_ns < until_ns && !context.stopping();
       now_ns = monotonic_ns()) {
    const timespec step{0, std::min<std::int64_t>(until_ns - now_ns, 50'000'000)};
    ::nanosleep(&step, nullptr);
  }
}

// Gaps and events have sequence numbers too.
void Verify::other(StageContext& /*context*/, Input& input, const Frame& frame) {
  if (!synthetic_) follow(input, frame, frame.sequence());
}

std::uint64_t Verify::number_of(const Frame& frame) {
  if (!synthetic_) return frame.sequence();
  if (!pattern_ || pattern_format_ != frame.format()) {
    pattern_.emplace(frame.format());
    pattern_format_ = frame.format();
  }
  const Verdict verdict = pattern_->check(frame.data(), frame.info().offset);
  const std::uint64_t whole = frame.format().frame_bytes();
  const bool cut = whole != 0 && frame.data().size() != whole;
  const bool counted_by_reader = (frame.info().flags & kCorrupted) != 0;
  if ((!verdict.intact || cut) && !counted_by_reader) {
    ++damaged_;
    fault(cut ? fmt::format("frame {} has {} bytes, not {}", verdict.number, frame.data().size(), whole)
              : fmt::format("frame {} is not the pattern's from byte {} of {} on", verdict.number,
                            verdict.first_wrong, frame.data().size()));
  }
  return verdict.number;
}

void Verify::follow(Input& input, const Frame& frame, std::uint64_t number) {
  const std::uint64_t writers = input.reader().stats().connects;
  const bool first = writers_ == 0;
  if (writers != writers_) {
    if (!first) ++restarts_;
    writers_ = writers;
    last_time_ns_ = kNoTime;
  } else if (number < expected_) {
    ++duplicates_;
    fault(fmt::format("number {} (sequence {}) came again: {} was expected", number, frame.sequence(),
                      expected_));
    return;
  } else {
    gaps_ += number - expected_;
  }
  expected_ = number + 1;
}

void Verify::check_time(const Frame& frame) {
  const FrameInfo& info = frame.info();
  const std::int64_t time_ns = info.dts_ns != kNoTime ? info.dts_ns : info.pts_ns;
  if (time_ns == kNoTime) return;
  if (last_time_ns_ != kNoTime && time_ns < last_time_ns_ && (info.flags & kDiscont) == 0) {
    ++disordered_;
    fault(fmt::format("the time of frame {} is {} ns, before that of the frame before it", frame.sequence(),
                      time_ns));
  }
  last_time_ns_ = time_ns;
}

void Verify::fault(const std::string& what) {
  if (++faults_ <= kLoggedFaults) log_warning(what);
}

void Verify::stop(StageContext& context) {
  const ReaderStats stats = context.inputs().front()->reader().stats();
  nlohmann::ordered_json report;
  report["stage"] = context.stage_name();
  report["frames"] = frames_;
  report["gaps"] = gaps_;
  report["corrupted"] = damaged_ + stats.corrupted;
  report["duplicates"] = duplicates_;
  report["verified"] = stats.verified;
  report["skipped"] = stats.skipped;
  report["lapped"] = stats.lapped;
  report["disordered"] = disordered_;
  report["restarts"] = restarts_;
  const std::string line = report.dump() + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

}  // namespace
}  // namespace reel::synthetic

REEL_STAGE(reel::synthetic::Verify, "synthetic.verify",
           "Checks every byte and every number of a stream, and reports in JSON", reel::synthetic::kInputs,
           reel::no_ports, reel::synthetic::kOptions)
