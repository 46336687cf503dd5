// Declares one name twice.
#include <reel/stage/plugin.hpp>

namespace {
constexpr std::array kInputs{reel::PortSpec{"in", reel::kTakesAny, "one"},
                             reel::PortSpec{"in", reel::kTakesAny, "two"}};
class Nothing final : public reel::Stage {};
}  // namespace

REEL_STAGE(Nothing, "test.two_ports", "has two ports of one name", kInputs, reel::no_ports, reel::no_options)
