// Between the encoders and the files: which unit goes into which class of file. What core's Recorder thread
// calls, one thread:
//   look()     for each frame as it is taken, before it is encoded, with its media time and side data
//   push()     for each unit that comes out of a chain, in the order of its track
//   advance()  at least twice a second, with the media time of now (or of the newest frame)
//   call()     for what EventServer's queue holds
//   finish()   at the end
// and what it gets back through Output, within those calls:
//   write(continuous, unit)   every unit, in the modes `continuous` and `both`: to the continuous Segmenter
//   write(event, unit)        in the modes `events` and `both`: units of events, with pre-roll, whole groups
//   of
//                             pictures from key frame to key frame: to a second Segmenter, of class event,
//                             which cuts by `segment` too
//   close_event_file(ns)      nothing before this media time comes for the event's file any more: finish it.
//                             The next write(event, ...) begins a new one
//   event(change)             begun, changed or ended: put event_mark() of it into the manifest of every open
//                             segment whose time it touches, in place of the one of the same id
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/segment.hpp"
#include "events/event_trigger.hpp"
#include "events/pre_roll.hpp"
#include "media/unit.hpp"

namespace record {

enum class RecordMode { continuous, events, both };
/// Of the option `mode`; nullopt for another text.
[[nodiscard]] std::optional<RecordMode> record_mode_from(std::string_view text) noexcept;

/// Without picture: that is made once its segment is finished.
[[nodiscard]] EventMark event_mark(const Event& event);

class EventGate {
 public:
  struct Settings {
    RecordMode mode = RecordMode::continuous;
    EventSettings events{};
    PreRollLimits pre_roll{};
  };
  class Output {
   public:
    virtual ~Output() = default;
    virtual void write(SegmentClass kind, const Unit& unit) = 0;
    virtual void close_event_file(std::int64_t end_ns) = 0;
    virtual void event(const EventChange& change) = 0;
  };

  EventGate(Settings settings, Output& output);

  /// The first video track; nullopt: there is none. Files begin and end at its key frames.
  void set_reference(std::optional<std::size_t> track);

  void look(const Seen& seen);
  void push(const Unit& unit);
  void advance(std::int64_t now_ns);
  /// Throws Error{refused}: see EventTrigger.
  void call(const EventCall& call, std::int64_t now_ns);
  /// Ends what goes on; writes and closes what is open.
  void finish();

  [[nodiscard]] const std::vector<Event>& going_on() const noexcept { return trigger_.going_on(); }
  [[nodiscard]] const PreRoll& pre_roll() const noexcept { return pre_roll_; }

 private:
  enum class State { shut, open, closing };
  void take(const std::vector<EventChange>& changes);
  void update_reference();
  void want(std::int64_t from_ns, std::int64_t to_ns);
  void keep_or_write(const Unit& unit);
  void write_event(const Unit& unit);
  void write_kept(std::int64_t from_ns);
  void begin_closing(std::int64_t end_ns);
  void place_held();
  void close_when_all_came();
  void close();
  [[nodiscard]] bool may_end_at(const Unit& unit) const noexcept;

  Settings settings_;
  Output& output_;
  EventTrigger trigger_;
  PreRoll pre_roll_;
  std::optional<std::size_t> reference_{};  // as it was set
  std::optional<std::size_t> present_{};    // the same while units of it come
  State state_ = State::shut;
  std::int64_t wanted_to_ns_ = 0;               // events want everything before this
  std::int64_t end_ns_ = 0;                     // while closing: where the file ends
  std::int64_t newest_ns_ = 0;                  // media time of the newest unit
  std::map<std::size_t, std::int64_t> newest_;  // the same, by track
  std::vector<Unit> held_;       // of other tracks than the reference: they may be behind the end of the file
  std::set<std::size_t> begun_;  // tracks that have a key frame in the event's file
};

}  // namespace record
