// A pipeline file from anywhere: either a pipeline or one bad_config that names the file; and so for its
// graph, whatever it names.
#include "fuzz.hpp"

#include <array>
#include <string>
#include <string_view>

#include <reel/base/error.hpp>
#include <reel/pipeline/graph.hpp>

namespace {

using reel::fuzz::require;

constexpr std::string_view kFile = "fuzz.yaml";

constexpr std::array<reel::PortSpec, 1> kIn{{{"in", reel::kTakesAny, "anything", false, true}}};
constexpr std::array<reel::PortSpec, 2> kOut{
    {{"video", reel::kTakesVideo, "", false}, {"audio", reel::kTakesAudio, "", false}}};
constexpr std::array<reel::OptionSpec, 1> kOptions{
    {{"n", reel::OptionType::integer, "1", "a number", "0..9"}}};

// One plugin that can stand anywhere in a graph.
class OnePlugin final : public reel::PluginCatalog {
 public:
  Entry find(const std::string& name) override {
    static const reel::PluginDescriptor kAny{reel::kPluginAbi, "any",       "",          kIn.data(),
                                             kIn.size(),       kOut.data(), kOut.size(), kOptions.data(),
                                             kOptions.size(),  nullptr};
    if (name == "any") return {&kAny, "any.so"};
    throw reel::Error(reel::ErrorCode::not_found, "no such plugin");
  }
};

void check(const reel::Graph& graph) {
  for (std::size_t i = 0; i < graph.stages.size(); ++i) {
    for (const std::size_t up : graph.stages[i].upstream)
      require(up < i, "a stage stands behind those it reads from");
    for (const reel::OutputSetup& output : graph.stages[i].setup.outputs)
      require(output.writer.slots >= reel::kMinSlots && output.writer.slots <= reel::kMaxSlots,
              "slots are within their limits");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const reel::PipelineConfig config = reel::parse_pipeline(text, std::string(kFile));
    OnePlugin catalog;
    check(reel::build_graph(config, catalog));
  } catch (const reel::Error& error) {
    require(error.code() == reel::ErrorCode::bad_config, "the error is bad_config");
    require(error.where().starts_with(kFile), "the error names the file");
    require(!error.message().empty(), "the error says what is wrong");
  }
  return 0;
}
