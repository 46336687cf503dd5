// bench.flip: what configs/flip.py does, in C++: every plane upside down. Says at its end what it cost.
#include <array>
#include <cstring>

#include <fmt/format.h>
#include <sys/resource.h>

#include <reel/base/log.hpp>
#include <reel/stage/plugin.hpp>

namespace {

constexpr std::array kInputs{reel::PortSpec{"in", reel::kTakesVideo, "raw video"}};
constexpr std::array kOutputs{reel::PortSpec{"out", reel::kTakesVideo, "the same, upside down"}};

constexpr std::int64_t kLeftOut = 30;  // frames, as in run.py

std::int64_t processor_us() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * std::int64_t{1'000'000} + used.ru_utime.tv_usec +
         used.ru_stime.tv_usec;
}

class Flip final : public reel::Stage {
 public:
  void process(reel::StageContext& context, reel::Input&, const reel::Frame& frame) override {
    reel::Output& out = context.output("out");
    out.follow(frame);
    if (frames_++ == kLeftOut) started_us_ = processor_us();
    reel::Loan loan = out.acquire();
    for (std::uint32_t i = 0; i < frame.plane_count(); ++i) {
      const reel::ConstPlaneView from = frame.plane(i);
      const reel::PlaneView to = loan.plane(i);
      for (std::uint32_t row = 0; row < from.rows; ++row)
        std::memcpy(to.data + std::size_t{row} * to.stride_bytes,
                    from.data + std::size_t{from.rows - 1 - row} * from.stride_bytes, from.row_bytes);
    }
    (void)loan.side_data().add_all(frame.side_data());
    out.publish(std::move(loan), frame.info());
  }

  void stop(reel::StageContext&) override {
    reel::log_info(
        fmt::format("processor {} us of {} frames", processor_us() - started_us_, frames_ - kLeftOut));
  }

 private:
  std::int64_t frames_ = 0;
  std::int64_t started_us_ = 0;
};

}  // namespace

REEL_STAGE(Flip, "bench.flip", "Upside down", kInputs, kOutputs, reel::no_options)
