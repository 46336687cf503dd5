// The order of stages along their streams. Pure.
#pragma once

#include "problems.hpp"

#include <cstddef>
#include <vector>

#include <reel/pipeline/config.hpp>

namespace reel {

/// Indices of `stages`, each behind those in its `upstream`, otherwise as they stand. A cycle is a problem
/// that names its stages; then not all are returned.
[[nodiscard]] std::vector<std::size_t> order_stages(const std::vector<StageConfig>& stages,
                                                    const std::vector<std::vector<std::size_t>>& upstream,
                                                    Problems& problems);

}  // namespace reel
