// `reel event`: tells a running recording that something happened now, and lists what did.
#include "commands.hpp"
#include "json_output.hpp"
#include "recordings_running.hpp"
#include "table.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <reel/base/error.hpp>
#include <reel/base/quantity.hpp>
#include <reel/base/text.hpp>
#include <reel/channel/runtime_dir.hpp>

namespace {

struct EventOptions {
  std::string recording, kind, note, duration;
  bool stop = false, list = false, json = false;
};

std::string choose_recording(const std::string& name) {
  if (!name.empty()) return name;
  const std::vector<std::string> running = running_recordings();
  if (running.empty())
    throw reel::Error(
        reel::ErrorCode::not_found,
        fmt::format("no recording runs (looked {}): start a pipeline with a stage `use: record`",
                    reel::where_looked()));
  if (running.size() > 1)
    throw reel::Error(reel::ErrorCode::bad_argument, fmt::format("{} recordings run: say which of {}",
                                                                 running.size(), reel::join_or(running)));
  return running.front();
}

CLI::Validator duration() {
  return CLI::Validator(
      [](const std::string& text) {
        return reel::duration_from(text) ? std::string()
                                         : fmt::format("'{}' is not {}", text, reel::kDurationText);
      },
      "DURATION");
}

std::string body_of(const EventOptions& options) {
  nlohmann::json body = nlohmann::json::object();
  if (!options.kind.empty()) body["kind"] = options.kind;
  if (!options.note.empty()) body["note"] = options.note;
  if (!options.duration.empty()) body["duration"] = options.duration;
  if (options.stop) body["stop"] = true;
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

[[noreturn]] void fail(const std::string& recording, const RecordingAnswer& answer) {
  const auto said = nlohmann::json::parse(answer.body, nullptr, false);
  const bool tells = said.is_object() && said.contains("error") && said["error"].is_string();
  const std::string why = tells ? said["error"].get<std::string>() : "";
  throw reel::Error(
      answer.status == 400 ? reel::ErrorCode::bad_argument : reel::ErrorCode::refused,
      why.empty() ? fmt::format("it answered with something else (status {})", answer.status) : why,
      "recording " + recording);
}

// What a recording tells is another process's: text for a terminal, or nothing.
std::string text_in(const nlohmann::json& event, const char* field) {
  const auto found = event.find(field);
  return found != event.end() && found->is_string() ? reel::printable(found->get<std::string>()) : "";
}

void print_events(const std::string& recording, const nlohmann::json& events) {
  if (events.empty()) return fmt::print("no events of the recording {} so far\n", recording);
  Table table({{"BEGAN"}, {"ENDED"}, {"KIND"}, {"SCORE", true}, {"NOTE"}, {"EVENT"}});
  for (const auto& event : events) {
    if (!event.is_object()) continue;
    const bool going_on = event.value("going_on", nlohmann::json(false)) == true;
    const auto score = event.find("score");
    const bool scored = score != event.end() && score->is_number() && *score != 0;
    table.add_row({text_in(event, "start"), going_on ? "goes on" : text_in(event, "end"),
                   text_in(event, "kind"), scored ? fmt::format("{:.3g}", score->get<double>()) : "",
                   text_in(event, "note"), text_in(event, "id")});
  }
  table.print();
}

void list(const EventOptions& options) {
  const std::string recording = choose_recording(options.recording);
  const RecordingAnswer answer = ask_for_events(recording);
  if (answer.status != 200) fail(recording, answer);
  const auto told = nlohmann::json::parse(answer.body, nullptr, false);
  if (!told.is_object() || !told.contains("events") || !told["events"].is_array())
    throw reel::Error(reel::ErrorCode::protocol, "it did not answer with a list of events",
                      "recording " + recording);
  if (options.json) return print_json(told);
  print_events(recording, told["events"]);
}

void event(const EventOptions& options) {
  if (options.list) return list(options);
  const std::string recording = choose_recording(options.recording);
  const RecordingAnswer answer = ask_recording(recording, body_of(options));
  if (answer.status != 202) fail(recording, answer);
}

}  // namespace

void add_event(CLI::App& app, CommandResult&) {
  auto options = std::make_shared<EventOptions>();
  CLI::App* command =
      app.add_subcommand("event", "Tell a running recording that something happened now, or list what did");
  command->add_option("RECORDING", options->recording,
                      "a recording's name (by default its stage's); may be left out where one runs");
  CLI::Option* kind = command->add_option("--kind", options->kind,
                                          "what it is, in one word of a-z, 0-9, '_', '-'; else \"call\"");
  CLI::Option* note = command->add_option("--note", options->note, "kept with the event");
  CLI::Option* length =
      command->add_option("--duration", options->duration, "how long it goes on; post_roll is added");
  length->check(duration());
  CLI::Option* stop =
      command->add_flag("--stop", options->stop, "ends the events of that kind, without --kind all, at once");
  CLI::Option* list = command->add_flag("--list", options->list,
                                        "tells of none: prints those that go on and the last hundred");
  for (CLI::Option* other : {kind, note, length, stop}) list->excludes(other);
  command->add_flag("--json", options->json, "of --list: print an object with an array of events")
      ->needs(list);
  command->footer(
      "Its recorder keeps what was before it (pre_roll) and after it (post_roll), and a picture. Once more "
      "while it goes on makes it longer.\n"
      "Example: reel event --kind doorbell --note \"the postman\" --duration 10s\n"
      "Example: reel event door --list");
  command->callback([options] { event(*options); });
}
