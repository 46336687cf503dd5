#include <reel/stage/inputs.hpp>

namespace reel {

std::string_view to_string(JoinTime time) noexcept {
  switch (time) {
    case JoinTime::automatic: return "auto";
    case JoinTime::media: return "media";
    case JoinTime::capture: return "capture";
  }
  return "auto";
}

std::optional<JoinTime> join_time_from(std::string_view name) noexcept {
  for (const JoinTime time : {JoinTime::automatic, JoinTime::media, JoinTime::capture})
    if (name == to_string(time)) return time;
  return std::nullopt;
}

}  // namespace reel
