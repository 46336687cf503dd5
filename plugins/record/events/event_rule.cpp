#include "events/event_rule.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/quantity.hpp>

namespace record {
namespace {

constexpr double kLowestLevel = -200;  // dBFS: silence

[[noreturn]] void refuse(std::string_view rule, const std::string& why) {
  throw reel::Error(
      reel::ErrorCode::bad_config,
      fmt::format("events: \"{}\": {}. A rule is \"motion 0.02\", \"detections person 0.6\" ('*': any label) "
                  "or \"level -30\" (dBFS), then perhaps \"for 500ms\" and \"of STREAM\"",
                  rule, why));
}

// Words between spaces; one that begins with ' ends at the next '.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::size_t at = text.find_first_not_of(' ');
  while (at != std::string_view::npos) {
    const bool quoted = text[at] == '\'';
    if (quoted) ++at;
    const std::size_t end = text.find(quoted ? '\'' : ' ', at);
    if (quoted && end == std::string_view::npos) refuse(text, "a ' has no partner");
    words.emplace_back(text.substr(at, end - at));
    at = end == std::string_view::npos ? end : text.find_first_not_of(' ', end + 1);
  }
  return words;
}

double number_from(std::string_view rule, const std::string& word, double least, double most) {
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  if (word.empty() || *end != '\0' || !(value >= least && value <= most))
    refuse(rule, fmt::format("\"{}\" is no number from {} to {}", word, least, most));
  return value;
}

std::optional<RuleMatch> match_motion(const reel::SideDataView& side) {
  const auto motion = side.motion();
  if (!motion) return std::nullopt;
  return RuleMatch{motion->score, fmt::format("motion {:.3f}", motion->score)};
}

std::optional<RuleMatch> match_level(const reel::SideDataView& side) {
  const auto level = side.audio_level();
  if (!level || level->channels == 0) return std::nullopt;
  const std::size_t channels = std::min<std::size_t>(level->channels, reel::kMaxLevelChannels);
  const float loudest = *std::max_element(level->rms_dbfs.begin(),
                                          level->rms_dbfs.begin() + static_cast<std::ptrdiff_t>(channels));
  return RuleMatch{loudest, fmt::format("level {:.1f} dBFS", loudest)};
}

std::optional<RuleMatch> match_detections(const std::string& label, const reel::SideDataView& side) {
  std::optional<RuleMatch> best;
  for (const auto& entry : side) {
    if (entry.type != reel::SideDataType::detections) continue;
    if (!best) best = RuleMatch{0, {}};
    for (const reel::Detection& one : reel::SideDataView::detections(entry)) {
      const std::string_view seen = one.label_text();
      if ((label != "*" && label != seen) || !std::isfinite(one.score) || one.score < best->value) continue;
      best = RuleMatch{one.score, fmt::format("{} {:.2f}", seen.empty() ? "something" : seen, one.score)};
    }
  }
  return best;
}

}  // namespace

std::string_view to_string(EventRule::Kind kind) noexcept {
  switch (kind) {
    case EventRule::Kind::motion: return "motion";
    case EventRule::Kind::detections: return "detections";
    case EventRule::Kind::level: return "level";
  }
  return "motion";
}

EventRule event_rule_from(std::string_view text) {
  const std::vector<std::string> words = words_of(text);
  EventRule rule;
  std::size_t at = 0;
  const auto next = [&](const char* what) {
    if (at == words.size()) refuse(text, fmt::format("there is no {} at its end", what));
    return words[at++];
  };
  const std::string kind = next("kind");
  if (kind == "motion") {
    rule.least = number_from(text, next("share of moving pixels (0 to 1)"), 0, 1);
  } else if (kind == "detections") {
    rule.kind = EventRule::Kind::detections;
    rule.label = next("label");
    rule.least = number_from(text, next("score (0 to 1)"), 0, 1);
  } else if (kind == "level") {
    rule.kind = EventRule::Kind::level;
    rule.least = number_from(text, next("level (dBFS)"), kLowestLevel, 0);
  } else {
    refuse(text, fmt::format("\"{}\" is none of motion, detections and level", kind));
  }
  while (at < words.size()) {
    const std::string word = words[at++];
    if (word == "for") {
      const std::string time = next("time");
      const auto duration = reel::duration_from(time);
      if (!duration) refuse(text, fmt::format("\"{}\" is not {}", time, reel::kDurationText));
      rule.for_ns = *duration;
    } else if (word == "of") {
      rule.stream = next("stream");
    } else {
      refuse(text, fmt::format("\"{}\" stands where \"for\" or \"of\" may", word));
    }
  }
  return rule;
}

std::vector<EventRule> event_rules_from(const std::vector<std::string>& texts) {
  std::vector<EventRule> rules;
  for (const std::string& text : texts) rules.push_back(event_rule_from(text));
  return rules;
}

std::optional<RuleMatch> match(const EventRule& rule, std::string_view stream,
                               const reel::SideDataView& side) {
  if (!rule.stream.empty() && rule.stream != stream) return std::nullopt;
  switch (rule.kind) {
    case EventRule::Kind::motion: return match_motion(side);
    case EventRule::Kind::detections: return match_detections(rule.label, side);
    case EventRule::Kind::level: return match_level(side);
  }
  return std::nullopt;
}

}  // namespace record
