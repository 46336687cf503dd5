// Writes one byte for everything it is told: the input's index for a frame, 'o' for a gap or event, 'e' for
// an end.
#include <reel/stage/plugin.hpp>

namespace {

constexpr std::array kInputs{reel::PortSpec{"in", reel::kTakesAny, "anything", true, true}};
constexpr std::array kOutputs{reel::PortSpec{"out", reel::kTakesBytes, "what happened"},
                              reel::PortSpec{"spare", reel::kTakesBytes, "nothing", false}};
constexpr std::array kOptions{
    reel::OptionSpec{"finish_after", reel::OptionType::integer, "0", "frames, 0: never"},
    reel::OptionSpec{"wrong_format", reel::OptionType::boolean, "false",
                     "gives audio out of a port of bytes"},
    reel::OptionSpec{"unconnected", reel::OptionType::boolean, "false", "uses a port that is not connected"}};

class Collector final : public reel::Stage {
 public:
  void configure(const reel::Options& options) override {
    left_ = options.integer("finish_after");
    wrong_format_ = options.boolean("wrong_format");
    unconnected_ = options.boolean("unconnected");
  }
  void start(reel::StageContext& context) override {
    if (context.inputs().size() + context.outputs().size() == 0) throw 1;
    if (context.find_output("") != context.find_output("out") || context.find_output("spare") != nullptr)
      throw 2;
    if (wrong_format_) context.output().set_format(reel::AudioFormat{reel::SampleFormat::S16LE, 48000, 1});
    if (unconnected_) (void)context.output("spare").acquire(1);
  }
  void process(reel::StageContext& context, reel::Input& input, const reel::Frame&) override {
    tell(context, static_cast<char>(input.index()));
    if (--left_ == 0) context.finish();
  }
  void other(reel::StageContext& context, reel::Input&, const reel::Frame&) override { tell(context, 'o'); }
  void input_ended(reel::StageContext& context, reel::Input&) override { tell(context, 'e'); }
  void stop(reel::StageContext& context) override { tell(context, 's'); }

 private:
  static void tell(reel::StageContext& context, char what) {
    const auto byte = static_cast<std::byte>(what);
    context.output().write({&byte, 1}, {});
  }
  std::int64_t left_ = 0;
  bool wrong_format_ = false, unconnected_ = false;
};

}  // namespace

REEL_STAGE(Collector, "test.collector", "Tells what happened to it", kInputs, kOutputs, kOptions)
