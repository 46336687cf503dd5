// JSON to standard output, the same way by every command. Single-thread.
#pragma once

#include <nlohmann/json_fwd.hpp>

/// Indented, one value and a line's end. Bytes of a peer that are no UTF-8 come out as U+FFFD.
void print_json(const nlohmann::json& value);
