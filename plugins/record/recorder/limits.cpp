#include "recorder/limits.hpp"

namespace record {

std::vector<RetentionRule> retention_rules(const RecordSettings& settings) {
  const bool apart = settings.event_max_age_ns != 0 || settings.event_max_bytes != 0;
  RetentionRule general;
  general.recording = settings.name;
  if (apart) general.kind = SegmentClass::continuous;
  general.max_age_ns = settings.max_age_ns;
  general.max_bytes = settings.max_bytes;
  RetentionRule events;
  events.recording = settings.name;
  events.kind = SegmentClass::event;
  events.max_age_ns = settings.event_max_age_ns;
  events.max_bytes = settings.event_max_bytes;
  RetentionRule room;
  room.recording = settings.name;
  room.min_free = settings.min_free;
  std::vector<RetentionRule> rules{general, events, room};
  std::erase_if(rules, [](const RetentionRule& rule) {
    return rule.max_age_ns == 0 && rule.max_bytes == 0 && rule.min_free == 0;
  });
  return rules;
}

}  // namespace record
