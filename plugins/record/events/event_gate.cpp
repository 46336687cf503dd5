#include "events/event_gate.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace record {
namespace {

// A track without units for so long is away: the others do not wait for it.
constexpr std::int64_t kAway_ns = 5'000'000'000;
// Sound comes out of its encoder later than pictures out of theirs, or earlier, by less than this.
constexpr std::int64_t kApart_ns = 1'000'000'000;

// An event begins before it is noticed: by what its rule asks for, and by what encoders hold.
PreRollLimits limits_of(const EventGate::Settings& settings) {
  PreRollLimits limits = settings.pre_roll;
  std::int64_t longest_ns = 0;
  for (const EventRule& rule : settings.events.rules) longest_ns = std::max(longest_ns, rule.for_ns);
  limits.length_ns += longest_ns + 2 * kApart_ns;
  return limits;
}

}  // namespace

std::optional<RecordMode> record_mode_from(std::string_view text) noexcept {
  if (text == "continuous") return RecordMode::continuous;
  if (text == "events") return RecordMode::events;
  if (text == "both") return RecordMode::both;
  return std::nullopt;
}

EventMark event_mark(const Event& event) {
  EventMark mark;
  mark.id = event.id;
  mark.kind = event.kind;
  mark.start_ns = event.start_ns;
  mark.end_ns = event.end_ns;
  mark.note = event.note;
  mark.score = event.score;
  mark.best_ns = event.best_ns;
  return mark;
}

EventGate::EventGate(Settings settings, Output& output)
    : settings_(std::move(settings)),
      output_(output),
      trigger_(settings_.events),
      pre_roll_(limits_of(settings_)) {}

void EventGate::set_reference(std::optional<std::size_t> track) {
  reference_ = present_ = track;
  pre_roll_.set_reference(track);
}

void EventGate::look(const Seen& seen) {
  take(trigger_.look(seen));
}

void EventGate::call(const EventCall& call, std::int64_t now_ns) {
  take(trigger_.call(call, now_ns));
}

void EventGate::advance(std::int64_t now_ns) {
  take(trigger_.advance(now_ns));
}

void EventGate::take(const std::vector<EventChange>& changes) {
  for (const EventChange& change : changes) {
    output_.event(change);
    if (change.what == EventChange::What::begun)
      want(change.event.start_ns - settings_.pre_roll.length_ns, change.event.end_ns);
  }
  if (changes.empty()) return;
  // One that was stopped does not want what it did.
  std::int64_t wanted_ns = 0;
  for (const EventChange& change : changes)
    if (change.what == EventChange::What::ended) wanted_ns = std::max(wanted_ns, change.event.end_ns);
  for (const Event& event : trigger_.going_on()) wanted_ns = std::max(wanted_ns, event.end_ns);
  wanted_to_ns_ = wanted_ns;
  if (state_ == State::open) place_held();
}

void EventGate::want(std::int64_t from_ns, std::int64_t to_ns) {
  if (settings_.mode == RecordMode::continuous) return;
  wanted_to_ns_ = std::max(wanted_to_ns_, to_ns);
  if (state_ == State::open) return;
  // A file that is about to end goes on instead: all that came since its end is still kept.
  const bool goes_on = state_ == State::closing;
  if (!goes_on) begun_.clear();
  state_ = State::open;
  write_kept(goes_on ? std::numeric_limits<std::int64_t>::min() : from_ns);
}

void EventGate::write_kept(std::int64_t from_ns) {
  for (const Unit& unit : pre_roll_.take(from_ns)) write_event(unit);
}

void EventGate::write_event(const Unit& unit) {
  if (!unit.key && !begun_.contains(unit.track)) return;  // cannot be decoded
  begun_.insert(unit.track);
  output_.write(SegmentClass::event, unit);
}

void EventGate::push(const Unit& unit) {
  newest_[unit.track] = unit.time_ns;
  newest_ns_ = std::max(newest_ns_, unit.time_ns);
  if (settings_.mode != RecordMode::events) output_.write(SegmentClass::continuous, unit);
  if (settings_.mode == RecordMode::continuous) return;
  update_reference();
  keep_or_write(unit);
  if (state_ == State::closing) close_when_all_came();
}

// While the reference is away, sound (or another camera) is recorded as if it were not there.
void EventGate::update_reference() {
  if (!reference_) return;
  const auto last = newest_.find(*reference_);
  const bool away = newest_ns_ - (last == newest_.end() ? 0 : last->second) > kAway_ns;
  const std::optional<std::size_t> present = away ? std::nullopt : reference_;
  if (present == present_) return;
  present_ = present;
  pre_roll_.set_reference(present);
}

bool EventGate::may_end_at(const Unit& unit) const noexcept {
  return unit.key && unit.time_ns >= wanted_to_ns_ && (!present_ || unit.track == *present_);
}

void EventGate::keep_or_write(const Unit& unit) {
  const bool follows = !(present_ && unit.track == *present_);  // the reference says where files end
  if (state_ == State::open && may_end_at(unit)) begin_closing(unit.time_ns);
  if (state_ == State::open && follows && unit.decode_ns >= wanted_to_ns_)
    held_.push_back(unit);
  else if (state_ == State::open || (state_ == State::closing && follows && unit.decode_ns < end_ns_))
    write_event(unit);
  else
    pre_roll_.push(unit);
}

void EventGate::begin_closing(std::int64_t end_ns) {
  state_ = State::closing;
  end_ns_ = end_ns;
  place_held();
}

void EventGate::place_held() {
  for (const Unit& unit : std::exchange(held_, {})) keep_or_write(unit);
}

void EventGate::close_when_all_came() {
  const bool waited = newest_ns_ >= end_ns_ + kApart_ns;
  const bool all_came =
      std::all_of(newest_.begin(), newest_.end(), [&](const auto& track) { return track.second >= end_ns_; });
  if (waited || all_came) close();
}

void EventGate::close() {
  state_ = State::shut;
  output_.close_event_file(end_ns_);
}

void EventGate::finish() {
  take(trigger_.finish(newest_ns_));
  if (state_ == State::open) begin_closing(newest_ns_ + 1);
  if (state_ == State::closing) close();
  pre_roll_.clear();
}

}  // namespace record
