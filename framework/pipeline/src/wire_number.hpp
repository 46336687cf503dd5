// Whole numbers of a control message: what another process wrote may be of any size and kind. Thread-safe.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace reel {

/// Throws Error{protocol}: `json` stands where a whole number should.
[[noreturn]] void refuse_number(std::string_view name, const std::string& json);

/// Throws Error{protocol} for a fraction, and for one that `Number` cannot hold. `Json` is nlohmann's.
template <std::integral Number, typename Json>
[[nodiscard]] Number whole_number(const Json& json, std::string_view name) {
  if (json.is_number_unsigned() && std::in_range<Number>(json.template get<std::uint64_t>()))
    return static_cast<Number>(json.template get<std::uint64_t>());
  if (json.is_number_integer() && !json.is_number_unsigned() &&
      std::in_range<Number>(json.template get<std::int64_t>()))
    return static_cast<Number>(json.template get<std::int64_t>());
  refuse_number(name, json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace reel
