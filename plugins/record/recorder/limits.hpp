// The rules of retention that the stage's options make.
#pragma once

#include <vector>

#include "catalog/retention.hpp"
#include "recorder/settings.hpp"

namespace record {

/// Of its own recording. Those of the class `event` alone take the place of the general ones for it.
[[nodiscard]] std::vector<RetentionRule> retention_rules(const RecordSettings& settings);

}  // namespace record
