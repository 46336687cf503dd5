#include "module_type.hpp"

#include <cstdint>

namespace reel::gst {

std::string module_type_name(const char* name) {
  static const char own = 0;
  return name + std::to_string(reinterpret_cast<std::uintptr_t>(&own));
}

}  // namespace reel::gst
