// A stream's status as JSON, for the commands that print it.
#pragma once

#include <nlohmann/json.hpp>

#include <reel/channel/observer.hpp>

[[nodiscard]] nlohmann::json to_json(const reel::StreamStatus& status);
