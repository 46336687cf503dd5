// One rule of the option `events`: "motion 0.02 for 300ms", "detections person 0.6", "level -30 of porch".
// Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <reel/format/side_data.hpp>

namespace record {

struct EventRule {
  enum class Kind { motion, detections, level } kind = Kind::motion;
  std::string label;        // of detections; "*": any
  double least = 0;         // score, or dBFS (the loudest channel's RMS)
  std::int64_t for_ns = 0;  // it must be so without a break; 0: one frame is enough
  std::string stream;       // empty: any
};
[[nodiscard]] std::string_view to_string(EventRule::Kind kind) noexcept;

/// `KIND [LABEL] LEAST [for TIME] [of STREAM]`; a label with spaces stands in single quotes. Throws
/// Error{bad_config} naming what is wrong and how it is written.
[[nodiscard]] EventRule event_rule_from(std::string_view text);
[[nodiscard]] std::vector<EventRule> event_rules_from(const std::vector<std::string>& texts);

/// What a frame said about a rule.
struct RuleMatch {
  double value = 0;  // the highest score or level
  std::string what;  // "person 0.93", "motion 0.041", "level -12.5 dBFS"
};
/// nullopt: the frame carries nothing of the rule's kind (it says neither yes nor no: a camera without that
/// stage, a frame that a detector left out). A value below `least` is a no.
[[nodiscard]] std::optional<RuleMatch> match(const EventRule& rule, std::string_view stream,
                                             const reel::SideDataView& side);

}  // namespace record
