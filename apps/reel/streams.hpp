// What the commands that look at one stream share: finding it, and its status as JSON.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <reel/channel/observer.hpp>

/// Throws what StreamObserver throws; not_found names the nearest stream, or the streams that there are.
[[nodiscard]] reel::StreamObserver open_observer(const std::string& stream);

/// The hint of a stream that was not found: "; did you mean ...?", or empty.
[[nodiscard]] std::string stream_hint(const std::string& stream);

[[nodiscard]] nlohmann::json to_json(const reel::StreamStatus& status);
