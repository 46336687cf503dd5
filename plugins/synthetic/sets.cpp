// synthetic.sets: which frames of its inputs came together (`join` in the pipeline file), told at its end.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <reel/base/clock.hpp>
#include <reel/stage/plugin.hpp>

namespace reel::synthetic {
namespace {

constexpr std::array kInputs{PortSpec{"in", kTakesVideo | kTakesBytes, "the streams to join", true, true}};
constexpr std::array kOptions{OptionSpec{"list", OptionType::integer, "10",
                                         "how many of the first sets are listed by their frames' numbers",
                                         "0..100000"}};

class Sets final : public Stage {
 public:
  void configure(const Options& options) override {
    list_ = static_cast<std::size_t>(options.integer("list"));
  }
  void process(StageContext& /*context*/, Input& /*input*/, const Frame& /*frame*/) override { ++alone_; }
  void process_set(StageContext& context, const FrameSet& set) override;
  void stop(StageContext& context) override;

 private:
  std::size_t list_ = 0;
  std::uint64_t sets_ = 0;
  std::uint64_t alone_ = 0;
  std::int64_t widest_ns_ = 0;
  std::vector<std::string> listed_;
};

void Sets::process_set(StageContext& /*context*/, const FrameSet& set) {
  ++sets_;
  std::string numbers;
  std::int64_t first_ns = set[0].info().pts_ns, last_ns = first_ns;
  for (const Frame* frame : set.frames) {
    if (!numbers.empty()) numbers += '+';
    numbers += std::to_string(frame->info().offset);
    first_ns = std::min(first_ns, frame->info().pts_ns);
    last_ns = std::max(last_ns, frame->info().pts_ns);
  }
  if (first_ns != kNoTime) widest_ns_ = std::max(widest_ns_, last_ns - first_ns);
  if (listed_.size() < list_) listed_.push_back(std::move(numbers));
}

void Sets::stop(StageContext& context) {
  nlohmann::ordered_json report;
  report["stage"] = context.stage_name();
  report["sets"] = sets_;
  report["alone"] = alone_;
  report["widest_pts_ms"] = static_cast<double>(widest_ns_) / 1e6;
  report["first_sets"] = listed_;
  const std::string line = report.dump() + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

}  // namespace
}  // namespace reel::synthetic

REEL_STAGE(reel::synthetic::Sets, "synthetic.sets",
           "Tells which frames of its inputs came together, and reports in JSON", reel::synthetic::kInputs,
           reel::no_ports, reel::synthetic::kOptions)
