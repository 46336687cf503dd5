// `reel ls`: every stream that has a living writer, with its readers.
#include "commands.hpp"
#include "json_output.hpp"
#include "streams.hpp"
#include "table.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/channel/observer.hpp>
#include <reel/channel/runtime_dir.hpp>

namespace {

struct Listing {
  std::vector<reel::StreamStatus> streams;
  std::vector<std::string> notes;   // directories that were not looked into, while others were
  std::vector<std::string> errors;  // the same where there is no other; streams that would not be looked at
};

// What may be seen of the streams is said of each place; only when nothing could be looked at did it fail.
void look_at_directories(Listing& listing) {
  const std::vector<reel::RuntimeDir> directories = reel::runtime_dirs();
  const bool seen = std::any_of(directories.begin(), directories.end(), [](const auto& directory) {
    return directory.state == reel::RuntimeDir::State::usable;
  });
  for (const reel::RuntimeDir& directory : directories) {
    if (!directory.objection.empty()) (seen ? listing.notes : listing.errors).push_back(directory.objection);
  }
}

Listing look() {
  Listing listing;
  look_at_directories(listing);
  for (const std::string& name : reel::list_streams()) {
    try {
      listing.streams.push_back(reel::StreamObserver(name).status());
    } catch (const reel::Error& error) {
      // A stream that ended between the listing and the look is simply no longer there.
      const bool gone = error.code() == reel::ErrorCode::not_found || error.code() == reel::ErrorCode::closed;
      if (!gone) listing.errors.emplace_back(error.what());
    }
  }
  return listing;
}

// A number that says nothing in this PID namespace is not shown.
std::string pid_cell(std::uint32_t pid) {
  return pid == 0 ? "-" : std::to_string(pid);
}
std::string pid_cell(const reel::StreamStatus& stream, const reel::ReaderStatus& reader) {
  return pid_cell(stream.same_pid_namespace ? reader.pid : 0);
}

// What the readers of the table above are told of its "-".
void print_note(const std::vector<reel::StreamStatus>& streams) {
  const bool hidden = std::any_of(streams.begin(), streams.end(), [](const reel::StreamStatus& stream) {
    return stream.writer_pid == 0 ||
           std::any_of(stream.readers.begin(), stream.readers.end(),
                       [&](const auto& reader) { return !stream.same_pid_namespace || reader.pid == 0; });
  });
  if (hidden) fmt::print("\n-: a process of another PID namespace (another container, or the host)\n");
}

void print_streams(const std::vector<reel::StreamStatus>& streams) {
  Table table({{"STREAM"},
               {"WRITER", true},
               {"HEAD", true},
               {"FPS", true},
               {"SLOTS", true},
               {"SLOT", true},
               {"STATE"},
               {"CAPS"}});
  for (const reel::StreamStatus& stream : streams)
    table.add_row({stream.name, pid_cell(stream.writer_pid), std::to_string(stream.head),
                   fmt::format("{:.1f}", stream.fps), std::to_string(stream.slots),
                   reel::bytes_text(stream.slot_bytes), stream.ended ? "ended" : "open", stream.caps});
  table.print();
}

void print_readers(const std::vector<reel::StreamStatus>& streams) {
  Table table({{"STREAM"},
               {"READER"},
               {"PID", true},
               {"POLICY"},
               {"CURSOR", true},
               {"HOLDS", true},
               {"DELIVERED", true},
               {"VERIFIED", true},
               {"CORRUPTED", true},
               {"SKIPPED", true},
               {"LAPPED", true},
               {"STATE"}});
  std::size_t readers = 0;
  for (const reel::StreamStatus& stream : streams) {
    for (const reel::ReaderStatus& reader : stream.readers) {
      const std::string policy(reel::to_string(reader.policy));
      table.add_row({stream.name, reader.name.empty() ? "-" : reader.name, pid_cell(stream, reader),
                     reader.demoted ? policy + " (demoted)" : policy, std::to_string(reader.cursor),
                     fmt::format("{}/{}", reader.pinned, reader.max_pins), std::to_string(reader.delivered),
                     std::to_string(reader.verified), std::to_string(reader.corrupted),
                     std::to_string(reader.skipped), std::to_string(reader.lapped),
                     reader.away_ms == 0 ? "here" : fmt::format("away {:.1f} s", reader.away_ms / 1000.0)});
      ++readers;
    }
  }
  if (readers == 0) return;
  fmt::print("\n");
  table.print();
}

void print_listing(const Listing& listing) {
  if (listing.streams.empty()) {
    if (listing.errors.empty()) fmt::print("no streams (looked {})\n", reel::where_looked());
    return;
  }
  print_streams(listing.streams);
  print_readers(listing.streams);
  print_note(listing.streams);
}

}  // namespace

void add_ls(CLI::App& app, CommandResult& result) {
  CLI::App* command = app.add_subcommand("ls", "List streams and their readers");
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print an array of streams, each with its array of readers");
  command->footer(
      "Example: reel ls --json\n"
      "Streams are looked for in $REEL_RUNTIME_DIR; where that is not set, in $XDG_RUNTIME_DIR/reel,\n"
      "/run/reel (root) and /tmp/reel-UID. To see another user's, set REEL_RUNTIME_DIR to that user's.");
  command->callback([json, &result] {
    const Listing listing = look();
    if (*json) {
      nlohmann::json streams = nlohmann::json::array();
      for (const reel::StreamStatus& stream : listing.streams) streams.push_back(to_json(stream));
      print_json(streams);
    } else {
      print_listing(listing);
    }
    for (const std::string& note : listing.notes) fmt::print(stderr, "reel: {}\n", note);
    for (const std::string& error : listing.errors) fmt::print(stderr, "reel: {}\n", error);
    result.status = listing.errors.empty() ? 0 : 1;
  });
}
