// Its file is test.misnamed.so.
#include <reel/stage/plugin.hpp>

namespace {
class Nothing final : public reel::Stage {};
}  // namespace

REEL_STAGE(Nothing, "test.another", "has the wrong name", reel::no_ports, reel::no_ports, reel::no_options)
