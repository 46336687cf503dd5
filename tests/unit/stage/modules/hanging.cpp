// Takes some frames, then never returns from process().
#include <chrono>
#include <thread>

#include <reel/stage/plugin.hpp>

namespace {

constexpr std::array kInputs{reel::PortSpec{"in", reel::kTakesAny, "anything"}};
constexpr std::array<reel::PortSpec, 0> kOutputs{};
constexpr std::array kOptions{
    reel::OptionSpec{"after", reel::OptionType::integer, "5", "frames that it takes before", "0..1000000"}};

class Hanging final : public reel::Stage {
 public:
  void configure(const reel::Options& options) override { left_ = options.integer("after"); }
  void process(reel::StageContext&, reel::Input&, const reel::Frame&) override {
    while (left_ == 0) std::this_thread::sleep_for(std::chrono::hours(1));
    --left_;
  }

 private:
  std::int64_t left_ = 0;
};

}  // namespace

REEL_STAGE(Hanging, "test.hanging", "Hangs", kInputs, kOutputs, kOptions)
