// Throws what it is told to, where it is told to. Without an input it is a source of opaque bytes.
#include <stdexcept>
#include <string>

#include <reel/base/error.hpp>
#include <reel/stage/plugin.hpp>

namespace {

constexpr std::array kInputs{reel::PortSpec{"in", reel::kTakesAny, "anything", false}};
constexpr std::array kOutputs{reel::PortSpec{"out", reel::kTakesBytes, "one byte a frame", false}};
constexpr std::array kOptions{reel::OptionSpec{"at", reel::OptionType::text, "nowhere", "where to throw",
                                               "nowhere|configure|start|process|input_ended|produce|stop"},
                              reel::OptionSpec{"what", reel::OptionType::text, "exception", "what to throw",
                                               "exception|number|error|config|unsupported|stop"}};

class Thrower final : public reel::Stage {
 public:
  void configure(const reel::Options& options) override {
    at_ = options.text("at");
    what_ = options.text("what");
    maybe("configure");
  }
  void start(reel::StageContext&) override { maybe("start"); }
  void process(reel::StageContext&, reel::Input&, const reel::Frame&) override { maybe("process"); }
  void input_ended(reel::StageContext&, reel::Input&) override { maybe("input_ended"); }
  bool produce(reel::StageContext& context) override {
    if (produced_ == 3) maybe("produce");
    if (produced_ == 5) return false;
    const std::byte byte{static_cast<unsigned char>(produced_++)};
    if (reel::Output* out = context.find_output("out"); out != nullptr) out->write({&byte, 1}, {});
    return true;
  }
  void stop(reel::StageContext&) override { maybe("stop"); }

 private:
  void maybe(const std::string& here) const {
    if (here != at_) return;
    if (what_ == "number") throw 42;
    if (what_ == "error") throw reel::Error(reel::ErrorCode::io, "the device is on fire");
    if (what_ == "config") throw reel::Error(reel::ErrorCode::bad_config, "these two do not go together");
    if (what_ == "unsupported") throw reel::Error(reel::ErrorCode::unsupported, "no such codec here");
    if (what_ == "stop") throw reel::StopRequested{};
    throw std::runtime_error("a bug in " + here);
  }

  std::string at_, what_;
  int produced_ = 0;
};

}  // namespace

REEL_STAGE(Thrower, "test.thrower", "Throws", kInputs, kOutputs, kOptions)
