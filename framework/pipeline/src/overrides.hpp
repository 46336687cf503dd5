// --set on the tree of a pipeline file, before it is checked: so that a value from the command line is
// checked as any other. Pure.
#pragma once

#include "yaml_tree.hpp"

#include <string>
#include <vector>

namespace reel {

/// Each of "STAGE.OPTION=VALUE", "streams.NAME.KEY=VALUE" or "stages.NAME.KEY=VALUE". A value that begins
/// with [ or { is YAML, any other a text as it stands. Mistakes go to `problems`, in the name of "--set ...".
void apply_overrides(YamlNode& root, const std::vector<std::string>& overrides, Problems& problems);

}  // namespace reel
