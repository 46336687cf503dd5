// The table of `reel top`: what a pipeline does now, a row for each stream of each stage. Pure.
#pragma once

#include "samples.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

enum class TopOrder { file, name, cpu, memory, rate, latency, losses };

/// The order of a name ("cpu"), and all names.
[[nodiscard]] std::optional<TopOrder> top_order_from(std::string_view name);
[[nodiscard]] std::vector<std::string> top_order_names();
[[nodiscard]] std::string_view to_string(TopOrder order);

/// Slots that a reader holds, and may: by the stream and the process that reads it.
using HeldSlots = std::map<std::pair<std::string, std::uint32_t>, std::pair<std::uint32_t, std::uint32_t>>;

/// A title, then aligned lines, the columns' names first.
[[nodiscard]] std::vector<std::string> top_lines(const PipelineSample& sample, const HeldSlots& held,
                                                 TopOrder order);
