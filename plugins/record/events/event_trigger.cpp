#include "events/event_trigger.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <reel/base/error.hpp>

namespace record {
namespace {

// A rule that says "for" is kept no longer when its stage has said nothing for so long.
constexpr std::int64_t kSilence_ns = 2'000'000'000;

void add_note(Event& event, const std::string& note) {
  if (note.empty() || event.note.size() + note.size() + 2 > kMaxEventNote) return;
  event.note += (event.note.empty() ? "" : "; ") + note;
}

}  // namespace

Event* EventTrigger::find(std::string_view kind) noexcept {
  const auto found = std::find_if(going_on_.begin(), going_on_.end(),
                                  [&](const Event& event) { return event.kind == kind; });
  return found == going_on_.end() ? nullptr : &*found;
}

bool EventTrigger::cooling(const std::string& kind, std::int64_t now_ns) const {
  const auto ended = ended_.find(kind);
  return ended != ended_.end() && now_ns < ended->second + settings_.cooldown_ns;
}

Event& EventTrigger::begin(const std::string& kind, std::int64_t start_ns) {
  Event event;
  event.kind = kind;
  event.id = fmt::format("{}{}{}-{}", settings_.run, settings_.run.empty() ? "" : "-", next_++, kind);
  event.start_ns = event.end_ns = event.best_ns = start_ns;
  return going_on_.emplace_back(std::move(event));
}

EventChange EventTrigger::end(Event& event, std::int64_t end_ns) {
  EventChange change{EventChange::What::ended, std::move(event)};
  change.event.end_ns = std::max(end_ns, change.event.start_ns);
  going_on_.erase(going_on_.begin() + (&event - going_on_.data()));
  const auto of_a_rule = [&](const EventRule& rule) { return to_string(rule.kind) == change.event.kind; };
  if (std::any_of(settings_.rules.begin(), settings_.rules.end(), of_a_rule))
    ended_[change.event.kind] = change.event.end_ns;
  return change;
}

void EventTrigger::trigger(const EventRule& rule, const RuleMatch& match, const Seen& seen,
                           std::int64_t since_ns, std::vector<EventChange>& changes) {
  const std::string kind(to_string(rule.kind));
  Event* event = find(kind);
  const bool begins = event == nullptr;
  if (begins) {
    if (cooling(kind, seen.time_ns) || going_on_.size() == kMaxKinds) return;
    // What the event before it had is not in this one too.
    const auto ended = ended_.find(kind);
    event = &begin(kind, ended == ended_.end() ? since_ns : std::max(since_ns, ended->second));
  }
  event->end_ns = std::max(event->end_ns, seen.time_ns + settings_.post_roll_ns);
  if (begins || match.value > event->score) {
    event->score = match.value;
    event->best_ns = seen.time_ns;
    event->track = seen.track;
    event->note = fmt::format("{} at {}", match.what, seen.stream);
  }
  changes.push_back({begins ? EventChange::What::begun : EventChange::What::changed, *event});
}

std::vector<EventChange> EventTrigger::look(const Seen& seen) {
  std::vector<EventChange> changes = advance(seen.time_ns);
  for (std::size_t i = 0; i < settings_.rules.size(); ++i) {
    const EventRule& rule = settings_.rules[i];
    const auto found = match(rule, seen.stream, seen.side);
    if (!found) continue;
    Held& held = held_[{i, seen.track}];
    if (found->value < rule.least) {
      held.since_ns = reel::kNoTime;
      continue;
    }
    if (held.since_ns == reel::kNoTime || seen.time_ns - held.last_ns > kSilence_ns)
      held.since_ns = seen.time_ns;
    held.last_ns = seen.time_ns;
    if (seen.time_ns - held.since_ns >= rule.for_ns) trigger(rule, *found, seen, held.since_ns, changes);
  }
  return changes;
}

std::vector<EventChange> EventTrigger::call(const EventCall& call, std::int64_t now_ns) {
  std::vector<EventChange> changes = advance(now_ns);
  if (call.stop) {
    for (std::size_t i = going_on_.size(); i-- > 0;)
      if (call.kind.empty() || going_on_[i].kind == call.kind) changes.push_back(end(going_on_[i], now_ns));
    return changes;
  }
  Event* event = find(call.kind);
  const bool begins = event == nullptr;
  if (begins && going_on_.size() == kMaxKinds)
    throw reel::Error(
        reel::ErrorCode::refused,
        fmt::format("an event of kind \"{}\" cannot begin: {} of other kinds go on, the most there can be; "
                    "call one of those, or end them (reel event --stop)",
                    call.kind, kMaxKinds));
  if (begins) event = &begin(call.kind, now_ns);
  event->end_ns = std::max(event->end_ns, now_ns + call.duration_ns + settings_.post_roll_ns);
  add_note(*event, call.note);
  changes.push_back({begins ? EventChange::What::begun : EventChange::What::changed, *event});
  return changes;
}

std::vector<EventChange> EventTrigger::advance(std::int64_t now_ns) {
  std::vector<EventChange> changes;
  for (std::size_t i = going_on_.size(); i-- > 0;) {
    const std::int64_t latest_ns = going_on_[i].start_ns + settings_.longest_ns;
    const std::int64_t end_ns = std::min(going_on_[i].end_ns, latest_ns);
    if (now_ns >= end_ns) changes.push_back(end(going_on_[i], end_ns));
  }
  return changes;
}

std::vector<EventChange> EventTrigger::finish(std::int64_t now_ns) {
  std::vector<EventChange> changes = advance(now_ns);
  while (!going_on_.empty()) changes.push_back(end(going_on_.back(), now_ns));
  return changes;
}

}  // namespace record
