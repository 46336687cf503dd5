#include <stdexcept>

#include <reel/stage/plugin.hpp>

namespace {
class BadConstructor final : public reel::Stage {
 public:
  BadConstructor() { throw std::runtime_error("no constructor today"); }
};
}  // namespace

REEL_STAGE(BadConstructor, "test.bad_constructor", "cannot be made", reel::no_ports, reel::no_ports,
           reel::no_options)
