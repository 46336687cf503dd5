// ${NAME} and ${NAME:-default} in the values of a pipeline file. Pure but for the environment that is asked.
#pragma once

#include "yaml_tree.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace reel {

using VariableLookup = std::function<std::optional<std::string>(const std::string& name)>;

/// The text with its variables filled in: ${NAME} (must be set), ${NAME:-default} (the default where NAME is
/// unset or empty; it may hold variables itself), $$ for one dollar; any other dollar stands for itself.
/// Throws Error{bad_config} without a place.
[[nodiscard]] std::string expand_variables(std::string_view text, const VariableLookup& lookup);

/// Every scalar below `node`, values of free keys (x-) aside. Mistakes go to `problems`.
void expand_tree(YamlNode& node, const VariableLookup& lookup, Problems& problems);

/// The process's environment.
[[nodiscard]] std::optional<std::string> environment_variable(const std::string& name);

}  // namespace reel
