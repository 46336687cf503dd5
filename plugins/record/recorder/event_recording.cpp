#include "recorder/event_recording.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/quantity.hpp>
#include <reel/channel/runtime_dir.hpp>

#include "catalog/segment_name.hpp"

namespace record {
namespace {

constexpr std::size_t kMostMarks = 1000;
constexpr std::int64_t kStalled_ns = 2'000'000'000;
constexpr std::int64_t kApart_ns = 2'000'000'000;  // of tracks, at most

EventGate::Settings gate_settings(const RecordSettings& settings) {
  EventGate::Settings made;
  made.mode = settings.mode;
  made.events = settings.events;
  made.pre_roll = settings.pre_roll;
  // Ids differ from those of every earlier run.
  for (const char c : utc_text(reel::realtime_ns()).substr(0, 19))
    if (c != '-' && c != ':') made.events.run += c;
  return made;
}

}  // namespace

EventRecording::EventRecording(const RecordSettings& settings, const Segmenter::Settings& cuts,
                               std::size_t inputs, const TimeLine& times, Recorder recorder)
    : mode_(settings.mode),
      times_(times),
      recorder_(std::move(recorder)),
      facts_(inputs),
      gate_(gate_settings(settings), *this),
      segmenter_(cuts, std::vector<bool>(inputs), *this),
      begun_(inputs),
      seen_(inputs),
      desk_(settings.name) {
  serve(settings);
}

// Recording matters more than being called: only what the settings say wrong ends it.
void EventRecording::serve(const RecordSettings& settings) {
  try {
    server_ = std::make_unique<EventServer>(
        EventServer::Settings{reel::writable_runtime_dir(), settings.http, settings.http_token}, desk_);
    if (!server_->url().empty()) reel::log_info("events are taken at " + server_->url() + "/event");
  } catch (const reel::Error& error) {
    if (error.code() == reel::ErrorCode::bad_config || !settings.http.empty()) throw;
    reel::log_warning(std::string("events cannot be called for (reel event): ") + error.what());
  }
}

void EventRecording::look(std::size_t input, const TrackFacts& track, const FrameFacts& frame) {
  TrackFacts& ours = facts_[input];
  ours.stream = track.stream;
  ours.video = track.video;
  ours.format = track.format;
  seen_[input] = true;
  segmenter_.set_video(input, track.video);
  update_reference();
  newest_ns_ = std::max(newest_ns_, frame.media_ns);
  newest_seen_ns_ = reel::monotonic_ns();
  forget_facts();
  gate_.look({input, ours.stream, frame.media_ns, frame.side()});
}

void EventRecording::add_facts(std::size_t input, const FrameFacts& facts) {
  facts_[input].waiting.push_back(facts);
}

void EventRecording::update_reference() {
  for (std::size_t i = 0; i < facts_.size(); ++i) {
    if (!seen_[i] || !facts_[i].video) continue;
    if (reference_ != i) gate_.set_reference(reference_ = i);
    return;
  }
}

// Those of frames that no file of an event will have any more.
void EventRecording::forget_facts() {
  if (current_ != nullptr || segmenter_.held_bytes() != 0) return;
  const std::int64_t needed_ns = gate_.pre_roll().begins_ns().value_or(newest_ns_ - kApart_ns) - kApart_ns;
  for (TrackFacts& facts : facts_)
    while (!facts.waiting.empty() && facts.waiting.front().media_ns < needed_ns) facts.waiting.pop_front();
}

void EventRecording::push(const Unit& unit) {
  gate_.push(unit);
}

void EventRecording::leave(std::size_t input) {
  segmenter_.leave(input);
}

// Media time of a moment. A file that is read faster than it was filmed is ahead of the clock.
std::int64_t EventRecording::media_now(std::int64_t now_ns) const {
  return std::max(newest_ns_, now_ns - times_.clocks_at(0).monotonic_ns);
}

void EventRecording::tick(std::int64_t now_ns) {
  tick_files(now_ns);
  if (newest_seen_ns_ == 0) return;  // media time has not begun
  take_calls();
  if (now_ns - newest_seen_ns_ > kStalled_ns) gate_.advance(media_now(now_ns));
}

void EventRecording::take_calls() {
  for (const EventDesk::Posted& posted : desk_.take()) {
    try {
      gate_.call(posted.call, media_now(posted.at_ns));
    } catch (const reel::Error& error) {
      reel::log_warning(error.what());
    }
  }
}

void EventRecording::tick_files(std::int64_t now_ns) {
  recorder_.write([&] {
    if (!ends_) return segmenter_.tick(now_ns);
    segmenter_.finish();
    ends_ = false;
  });
}

void EventRecording::drop_files() {
  goes_on_ = goes_on_ || current_ != nullptr;
  segmenter_.drop_files();
}

void EventRecording::lose(const Unit& unit) {
  forget_up_to(facts_[unit.track], unit.frame);
  if (mode_ == RecordMode::events) recorder_.lose(unit);  // else it is in a continuous file
}

void EventRecording::finish() {
  gate_.finish();
}

std::vector<Unit> EventRecording::take_held() {
  std::vector<Unit> held = segmenter_.take_held();
  if (mode_ == RecordMode::both) held.clear();
  return held;
}

std::vector<EventMark> EventRecording::marks(std::int64_t start_ns, std::int64_t end_ns) const {
  std::vector<EventMark> within;
  for (const EventMark& mark : marks_)
    if (mark.start_ns < end_ns && mark.end_ns >= start_ns) within.push_back(mark);
  return within;
}

std::int64_t EventRecording::wanted_ns(std::int64_t start_ns) const {
  std::int64_t wanted_ns = 0;
  if (!ends_) return wanted_ns;
  for (const EventMark& mark : marks(start_ns, ends_ns_)) wanted_ns = std::max(wanted_ns, mark.end_ns);
  return std::min(wanted_ns, ends_ns_);
}

std::unique_ptr<UnitFile> EventRecording::open(const std::vector<std::size_t>& tracks,
                                               std::int64_t start_ns) {
  std::unique_ptr<SegmentFile> file = recorder_.open(tracks, start_ns, facts_);
  current_ = file.get();
  return file;
}

void EventRecording::close(std::unique_ptr<UnitFile> unit_file) {
  std::unique_ptr<SegmentFile> file(static_cast<SegmentFile*>(unit_file.release()));
  if (current_ == file.get()) current_ = nullptr;
  recorder_.close(std::move(file));
  goes_on_ = !ends_;
}

void EventRecording::write(SegmentClass kind, const Unit& unit) {
  if (kind == SegmentClass::continuous) return recorder_.continuous(unit);
  if (ends_) tick_files(reel::monotonic_ns());
  if (!begun_[unit.track]) {
    begun_[unit.track] = true;
    if (unit.frame != 0) forget_up_to(facts_[unit.track], unit.frame - 1);
  }
  recorder_.write([&] { segmenter_.push(unit, reel::monotonic_ns()); });
}

void EventRecording::close_event_file(std::int64_t end_ns) {
  ends_ = true;
  ends_ns_ = end_ns;
  begun_.assign(begun_.size(), false);
  tick_files(reel::monotonic_ns());
}

void EventRecording::event(const EventChange& change) {
  const Event& event = change.event;
  EventMark mark = event_mark(event);
  const auto known =
      std::find_if(marks_.begin(), marks_.end(), [&](const EventMark& other) { return other.id == mark.id; });
  if (known != marks_.end())
    *known = std::move(mark);
  else
    marks_.push_back(std::move(mark));
  if (marks_.size() > kMostMarks) marks_.pop_front();
  const ClockPair clocks = times_.clocks_at(0);
  desk_.note(change, clocks.utc_ns);
  recorder_.tell(change);
  if (change.what == EventChange::What::begun)
    reel::log_info(fmt::format("event {} begins{}{}", event.id, event.note.empty() ? "" : ": ", event.note));
  if (change.what == EventChange::What::ended)
    reel::log_info(fmt::format("event {} has ended after {}", event.id,
                               reel::duration_text(event.end_ns - event.start_ns)));
}

}  // namespace record
