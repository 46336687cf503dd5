// `reel event`: tells a running recording that something happened now.
#include "commands.hpp"
#include "recordings_running.hpp"

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
  bool stop = false;
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

void event(const EventOptions& options) {
  const std::string recording = choose_recording(options.recording);
  const RecordingAnswer answer = ask_recording(recording, body_of(options));
  if (answer.status == 202) return;
  const auto said = nlohmann::json::parse(answer.body, nullptr, false);
  const bool tells = said.is_object() && said.contains("error") && said["error"].is_string();
  const std::string why = tells ? said["error"].get<std::string>() : "";
  throw reel::Error(
      answer.status == 400 ? reel::ErrorCode::bad_argument : reel::ErrorCode::refused,
      why.empty() ? fmt::format("it answered with something else (status {})", answer.status) : why,
      "recording " + recording);
}

}  // namespace

void add_event(CLI::App& app, CommandResult&) {
  auto options = std::make_shared<EventOptions>();
  CLI::App* command = app.add_subcommand("event", "Tell a running recording that something happened now");
  command->add_option("RECORDING", options->recording,
                      "a recording's name (by default its stage's); may be left out where one runs");
  command->add_option("--kind", options->kind,
                      "what it is, in one word of a-z, 0-9, '_', '-'; else \"call\"");
  command->add_option("--note", options->note, "kept with the event");
  command->add_option("--duration", options->duration, "how long it goes on; post_roll is added")
      ->check(duration());
  command->add_flag("--stop", options->stop, "ends the events of that kind, without --kind all, at once");
  command->footer(
      "Its recorder keeps what was before it (pre_roll) and after it (post_roll), and a picture. Once more "
      "while it goes on makes it longer.\n"
      "Example: reel event --kind doorbell --note \"the postman\" --duration 10s");
  command->callback([options] { event(*options); });
}
