#include "events/event_desk.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <reel/base/error.hpp>
#include <reel/base/quantity.hpp>

#include "catalog/segment_name.hpp"

namespace record {
namespace {

constexpr std::size_t kLongestKind = 32;
constexpr std::int64_t kLongest_ns = 24LL * 3600 * 1'000'000'000;

[[noreturn]] void refuse(const std::string& why) {
  throw reel::Error(reel::ErrorCode::bad_argument, why);
}

std::int64_t duration_from(const nlohmann::json& value) {
  const auto duration = reel::duration_from(value.is_string() ? value.get<std::string>() : value.dump());
  if (!duration || !(value.is_string() || value.is_number()))
    refuse(fmt::format("\"duration\" is not {}", reel::kDurationText));
  return *duration;
}

}  // namespace

void check_event_call(const EventCall& call) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  const bool named = !call.kind.empty() && call.kind.size() <= kLongestKind &&
                     std::all_of(call.kind.begin(), call.kind.end(), allowed);
  if (!named && !(call.stop && call.kind.empty()))
    refuse(fmt::format("\"{}\" cannot be a kind of event: 1 to {} characters of a-z, 0-9, '_' and '-'",
                       call.kind.substr(0, kLongestKind + 1), kLongestKind));
  if (call.note.size() > kMaxEventNote)
    refuse(fmt::format("the note has {} bytes, at most {} are kept", call.note.size(), kMaxEventNote));
  if (call.duration_ns < 0 || call.duration_ns > kLongest_ns)
    refuse(fmt::format("the duration {} is longer than a day: call again as it goes on",
                       reel::duration_text(call.duration_ns)));
}

EventCall event_call_from(std::string_view text) {
  EventCall call;
  bool has_kind = false;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object())
    refuse("the body is no JSON object, such as {\"kind\": \"door\", \"duration\": \"5s\"}");
  for (const auto& [key, value] : json.items()) {
    const bool text_wanted = key == "kind" || key == "note";
    if (text_wanted && !value.is_string()) refuse(fmt::format("\"{}\" is no text", key));
    if (key == "kind") {
      call.kind = value.get<std::string>();
      has_kind = true;
    } else if (key == "note") {
      call.note = value.get<std::string>();
    } else if (key == "duration") {
      call.duration_ns = duration_from(value);
    } else if (key == "stop" && value.is_boolean()) {
      call.stop = value.get<bool>();
    } else {
      refuse("there is \"kind\", \"note\", \"duration\" and \"stop\" (true or false), nothing else");
    }
  }
  if (call.stop && !has_kind) call.kind.clear();
  check_event_call(call);
  return call;
}

bool EventDesk::post(EventCall call, std::int64_t at_ns) {
  {
    const std::lock_guard lock(mutex_);
    if (calls_.size() == kMostCalls) return false;
    calls_.push_back({std::move(call), at_ns});
  }
  if (on_call_) on_call_();
  return true;
}

std::vector<EventDesk::Posted> EventDesk::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(calls_, {});
}

void EventDesk::note(const EventChange& change, std::int64_t utc_minus_media_ns) {
  const std::lock_guard lock(mutex_);
  Row row{change.event, change.what != EventChange::What::ended, utc_minus_media_ns};
  const auto known = std::find_if(rows_.begin(), rows_.end(),
                                  [&](const Row& other) { return other.event.id == change.event.id; });
  if (known != rows_.end()) {
    *known = std::move(row);
    return;
  }
  rows_.push_front(std::move(row));
  if (rows_.size() <= kMostEvents) return;
  const auto oldest =
      std::find_if(rows_.rbegin(), rows_.rend(), [](const Row& other) { return !other.going_on; });
  rows_.erase(oldest == rows_.rend() ? std::prev(rows_.end()) : std::prev(oldest.base()));
}

std::string EventDesk::events_json() const {
  nlohmann::json events = nlohmann::json::array();
  const std::lock_guard lock(mutex_);
  for (const Row& row : rows_)
    events.push_back({{"id", row.event.id},
                      {"kind", row.event.kind},
                      {"note", row.event.note},
                      {"score", row.event.score},
                      {"start", utc_text(row.event.start_ns + row.utc_minus_media_ns)},
                      {"end", utc_text(row.event.end_ns + row.utc_minus_media_ns)},
                      {"going_on", row.going_on}});
  // A label of a detection may be no UTF-8.
  return nlohmann::json{{"recording", recording_}, {"events", std::move(events)}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace record
