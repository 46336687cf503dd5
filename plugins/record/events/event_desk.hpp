// Where calls from outside wait until the recorder takes them, and where it says which events there were.
// Bounded both ways. Thread-safe: the server's thread posts and lists, the recorder's takes and notes.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "events/event_trigger.hpp"

namespace record {

/// Throws Error{bad_argument} for a kind, note or duration that an event cannot have.
void check_event_call(const EventCall& call);
/// Of the body of POST /event: {"kind", "note", "duration", "stop"}, each of which may be missing; duration
/// in seconds or as text ("5s"). Throws Error{bad_argument}.
[[nodiscard]] EventCall event_call_from(std::string_view json);

class EventDesk {
 public:
  static constexpr std::size_t kMostCalls = 64;    // that wait
  static constexpr std::size_t kMostEvents = 100;  // that are remembered; those that go on are

  /// `on_call` may be empty; called by post().
  explicit EventDesk(std::string recording, std::function<void()> on_call = {})
      : recording_(std::move(recording)), on_call_(std::move(on_call)) {}

  struct Posted {
    EventCall call;
    std::int64_t at_ns = 0;  // CLOCK_MONOTONIC
  };
  /// False when kMostCalls wait already: the recorder does not take them.
  [[nodiscard]] bool post(EventCall call, std::int64_t at_ns);
  [[nodiscard]] std::vector<Posted> take();

  /// `utc_minus_media_ns` makes the event's times those of the wall clock.
  void note(const EventChange& change, std::int64_t utc_minus_media_ns);
  /// {"recording": .., "events": [{"id", "kind", "note", "score", "start", "end", "going_on"}]}: the newest
  /// first.
  [[nodiscard]] std::string events_json() const;

  [[nodiscard]] const std::string& recording() const noexcept { return recording_; }

 private:
  struct Row {
    Event event;
    bool going_on = false;
    std::int64_t utc_minus_media_ns = 0;
  };
  const std::string recording_;
  const std::function<void()> on_call_;
  mutable std::mutex mutex_;
  std::vector<Posted> calls_;
  std::deque<Row> rows_;
};

}  // namespace record
