// Where the models that Reel ships lie. Thread-safe; reads the environment.
#pragma once

#include <string>
#include <string_view>

/// The path of the shipped file `name`: in $REEL_MODEL_PATH (directories, colon-separated), in
/// share/reel/models of the installation or build that this module belongs to. Throws reel::Error{not_found}
/// saying where was looked.
[[nodiscard]] std::string model_path(std::string_view name);
