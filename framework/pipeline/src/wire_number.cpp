#include "wire_number.hpp"

#include <fmt/format.h>

#include <reel/base/error.hpp>

namespace reel {

void refuse_number(std::string_view name, const std::string& json) {
  throw Error(ErrorCode::protocol,
              fmt::format("a control message's \"{}\" is {}: no whole number that it can be", name, json));
}

}  // namespace reel
