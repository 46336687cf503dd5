// Writes a text for every set of frames: their numbers ("3+1 "). 'o' for a gap or event, "e1 " for the end of
// input 1, "p0 " for a frame that comes alone.
#include <string>

#include <reel/stage/plugin.hpp>

namespace {

constexpr std::array kInputs{reel::PortSpec{"in", reel::kTakesAny, "anything", true, true}};
constexpr std::array kOutputs{reel::PortSpec{"out", reel::kTakesBytes, "what happened"}};

class Sets final : public reel::Stage {
 public:
  void process(reel::StageContext& context, reel::Input& input, const reel::Frame&) override {
    tell(context, "p" + std::to_string(input.index()) + " ");
  }
  void process_set(reel::StageContext& context, const reel::FrameSet& set) override {
    std::string numbers;
    for (const reel::Frame* frame : set.frames)
      numbers += (numbers.empty() ? "" : "+") + std::to_string(frame->info().offset);
    tell(context, numbers + " ");
  }
  void other(reel::StageContext& context, reel::Input& input, const reel::Frame&) override {
    tell(context, "o" + std::to_string(input.index()) + " ");
  }
  void input_ended(reel::StageContext& context, reel::Input& input) override {
    tell(context, "e" + std::to_string(input.index()) + " ");
  }

 private:
  static void tell(reel::StageContext& context, const std::string& what) {
    context.output().write(std::as_bytes(std::span(what)), {});
  }
};

}  // namespace

REEL_STAGE(Sets, "test.sets", "Tells which frames came together", kInputs, kOutputs, reel::no_options)
