// my.filter: raw video with every byte brighter, or darker, by `level`.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <reel/stage/plugin.hpp>

namespace {

constexpr std::array kInputs{reel::PortSpec{"in", reel::kTakesVideo, "raw video"}};
constexpr std::array kOutputs{reel::PortSpec{"out", reel::kTakesVideo, "the same, brighter or darker"}};
constexpr std::array kOptions{
    reel::OptionSpec{"level", reel::OptionType::integer, "40", "what is added to every byte", "-255..255"}};

class MyFilter final : public reel::Stage {
 public:
  void configure(const reel::Options& options) override {
    level_ = static_cast<int>(options.integer("level"));
  }

  // `frame` is read-only shared memory, held until this returns; what is thrown ends the stage as failed.
  void process(reel::StageContext& context, reel::Input&, const reel::Frame& frame) override {
    reel::Output& out = context.output("out");
    out.follow(frame);                // the same format, segment and tags
    reel::Loan loan = out.acquire();  // a free slot of the output, filled in place
    for (std::uint32_t plane = 0; plane < frame.plane_count(); ++plane)
      brighten(frame.plane(plane), loan.plane(plane));
    (void)loan.side_data().add_all(frame.side_data());  // what earlier stages found travels on
    out.publish(std::move(loan), frame.info());         // with its times: latency is counted from the capture
  }

 private:
  void brighten(const reel::ConstPlaneView& from, const reel::PlaneView& to) const {
    for (std::uint32_t row = 0; row < from.rows; ++row) {
      const std::byte* in = from.data + std::size_t{row} * from.stride_bytes;
      std::transform(in, in + from.row_bytes, to.data + std::size_t{row} * to.stride_bytes,
                     [this](std::byte value) {
                       return static_cast<std::byte>(std::clamp(static_cast<int>(value) + level_, 0, 255));
                     });
    }
  }

  int level_ = 0;
};

}  // namespace

REEL_STAGE(MyFilter, "my.filter", "Brighter or darker", kInputs, kOutputs, kOptions)
