// What people and programs say of events: rules, schedules, addresses, the bodies of calls. The first byte
// chooses which. Each is read, or refused with an error of ours.
#include "fuzz.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <reel/base/error.hpp>

#include "events/event_address.hpp"
#include "events/event_desk.hpp"
#include "events/event_rule.hpp"
#include "events/schedule.hpp"

using reel::fuzz::require;

namespace {

constexpr std::int64_t kDay_ns = 24LL * 3600 * 1'000'000'000;

void read_rule(std::string_view text) {
  const record::EventRule rule = record::event_rule_from(text);
  require(rule.least >= -200 && rule.least <= 1, "a rule's least is in its range");
  require(rule.for_ns >= 0, "a rule's time does not run back");
  require(rule.label.size() + rule.stream.size() <= text.size(), "nothing is made up");
}

void read_schedule(std::string_view text) {
  const record::Schedule schedule(text);
  for (int day = 0; day < 7; ++day) (void)schedule.active(day * kDay_ns);
}

void read_call(std::string_view text) {
  const record::EventCall call = record::event_call_from(text);
  require(call.note.size() <= record::kMaxEventNote, "a note is short");
  require(call.duration_ns >= 0 && call.duration_ns <= kDay_ns, "a call lasts a day at most");
  require(call.stop || !call.kind.empty(), "a call is of a kind");
  // It becomes a part of a file's name.
  require(std::all_of(call.kind.begin(), call.kind.end(),
                      [](char c) {
                        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
                      }),
          "a kind is a plain word");
}

void read_address(std::string_view text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view token = text.substr(std::min(end + 1, text.size()));
  (void)record::host_is_own(text.substr(0, end));
  (void)record::bears(text.substr(0, end), token);
  (void)record::http_address_from(text.substr(0, end), token);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 4) {
      case 0: read_rule(text); break;
      case 1: read_schedule(text); break;
      case 2: read_call(text); break;
      default: read_address(text); break;
    }
  } catch (const reel::Error& error) {
    const bool refused =
        error.code() == reel::ErrorCode::bad_config || error.code() == reel::ErrorCode::bad_argument;
    require(refused, "what is wrong with a text is said so");
  }
  return 0;
}
