// When something is an event: rules on what stages found in frames (side data), and calls from outside. Pure;
// one thread. Events of different kinds go on beside each other; one of a kind at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <reel/base/clock.hpp>
#include <reel/format/side_data.hpp>

#include "events/event_rule.hpp"

namespace record {

inline constexpr std::size_t kMaxKinds = 16;        // of events that go on at one time
inline constexpr std::size_t kMaxEventNote = 1000;  // bytes

struct EventSettings {
  std::vector<EventRule> rules{};
  std::int64_t post_roll_ns = 5'000'000'000;  // an event goes on for so long after what made it one
  std::int64_t longest_ns = 600'000'000'000;  // and is ended after this; what goes on is the next event
  std::int64_t cooldown_ns = 0;               // no rule begins one of a kind so soon after one of it ended
  std::string run{};                          // told apart by it: ids of this recorder's events begin with it
};

/// What is asked from outside: `reel event`, POST /event.
struct EventCall {
  std::string kind = "call";
  std::string note;
  std::int64_t duration_ns = 0;  // post-roll is added
  bool stop = false;             // ends those of the kind (of every kind where it is empty) now
};

/// One event. Times are media times.
struct Event {
  std::string id;                      // "20261122T073116-7-motion": run, number, kind
  std::string kind;                    // "motion", "detections", "level", or what a call said
  std::string note;                    // "person 0.93 at camera", or the call's
  double score = 0;                    // the highest; of level: dBFS
  std::int64_t start_ns = 0;           // of the first frame that kept its rule
  std::int64_t end_ns = 0;             // post-roll included; while it goes on: as it would end now
  std::int64_t best_ns = 0;            // of the frame with the highest score
  std::optional<std::size_t> track{};  // on which the best was seen; none: a call
};

struct EventChange {
  enum class What { begun, changed, ended } what = What::begun;
  Event event;
};

/// One frame, as far as events go.
struct Seen {
  std::size_t track = 0;
  std::string_view stream{};
  std::int64_t time_ns = 0;
  reel::SideDataView side{};
};

class EventTrigger {
 public:
  explicit EventTrigger(EventSettings settings) : settings_(std::move(settings)) {}

  /// What one frame says. Times of one track do not go back.
  [[nodiscard]] std::vector<EventChange> look(const Seen& seen);
  /// Throws Error{refused} when kMaxKinds go on already.
  [[nodiscard]] std::vector<EventChange> call(const EventCall& call, std::int64_t now_ns);
  /// It is `now_ns`: ends those that are over.
  [[nodiscard]] std::vector<EventChange> advance(std::int64_t now_ns);
  /// The recording ends: so does every event.
  [[nodiscard]] std::vector<EventChange> finish(std::int64_t now_ns);

  [[nodiscard]] const std::vector<Event>& going_on() const noexcept { return going_on_; }

 private:
  struct Held {                             // a rule at a track
    std::int64_t since_ns = reel::kNoTime;  // it has been kept since; kNoTime: it is not
    std::int64_t last_ns = 0;
  };
  [[nodiscard]] Event* find(std::string_view kind) noexcept;
  [[nodiscard]] bool cooling(const std::string& kind, std::int64_t now_ns) const;
  Event& begin(const std::string& kind, std::int64_t start_ns);
  void trigger(const EventRule& rule, const RuleMatch& match, const Seen& seen, std::int64_t since_ns,
               std::vector<EventChange>& changes);
  [[nodiscard]] EventChange end(Event& event, std::int64_t end_ns);

  EventSettings settings_;
  std::uint64_t next_ = 1;
  std::map<std::pair<std::size_t, std::size_t>, Held> held_;  // by rule and track
  std::vector<Event> going_on_;
  std::map<std::string, std::int64_t> ended_;  // by kind: when the last one was over; kinds of rules alone
};

}  // namespace record
