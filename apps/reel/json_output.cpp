#include "json_output.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

void print_json(const nlohmann::json& value) {
  fmt::print("{}\n", value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}
