// `reel recordings`: reads the command line, and leaves what is to be done to reel-recordings, which has the
// libraries (SQLite, GStreamer) that this program does without.
#include "commands.hpp"
#include "programs.hpp"

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <reel/base/error.hpp>

namespace {

/// "name=value", in the order in which they were given.
using Arguments = std::vector<std::string>;

void start_program(const Arguments& arguments) {
  std::string program = (in_tree(REEL_BIN_TO_LIBEXEC) / "reel" / "reel-recordings").string();
  if (::access(program.c_str(), X_OK) != 0)
    throw reel::Error(reel::ErrorCode::unsupported,
                      "there is no program at " + program +
                          ": Reel was built without recording (Debian: libsqlite3-dev libgstreamer1.0-dev "
                          "libgstreamer-plugins-base1.0-dev)",
                      "recordings");
  std::vector<char*> words{program.data()};
  std::vector<std::string> copies = arguments;
  for (std::string& each : copies) words.push_back(each.data());
  words.push_back(nullptr);
  ::execv(program.c_str(), words.data());
  reel::throw_errno(errno, "starting " + program, "recordings");
}

/// Options of the command, each of which is handed on under its own name.
class Handed {
 public:
  Handed(CLI::App& command, std::shared_ptr<Arguments> arguments)
      : command_(command), arguments_(std::move(arguments)) {}

  CLI::Option* value(const std::string& option, const std::string& meaning) {
    return command_.add_option_function<std::string>(
        option,
        [all = arguments_, name = plain(option)](const std::string& text) {
          all->push_back(name + "=" + text);
        },
        meaning);
  }
  void flag(const std::string& option, const std::string& meaning) {
    command_.add_flag_callback(
        option, [all = arguments_, name = plain(option)] { all->push_back(name + "="); }, meaning);
  }

 private:
  static std::string plain(const std::string& option) { return option.substr(option.find_first_not_of('-')); }

  CLI::App& command_;
  std::shared_ptr<Arguments> arguments_;
};

}  // namespace

void add_recordings(CLI::App& app, CommandResult&) {
  CLI::App* command =
      app.add_subcommand("recordings", "List, check, export, protect and remove what was recorded");
  auto action = std::make_shared<std::string>();
  auto directory = std::make_shared<std::string>();
  auto segments = std::make_shared<std::vector<std::string>>();
  auto arguments = std::make_shared<Arguments>();
  command->add_option("ACTION", *action, "What to do, see below")
      ->required()
      ->check(CLI::IsMember({"ls", "show", "verify", "export", "protect", "rm", "retain", "reindex"}));
  command->add_option("DIRECTORY", *directory, "The directory of recordings")->required()->type_name("DIR");
  command
      ->add_option("SEGMENT", *segments,
                   "Segments as `ls` names them; none: all that are chosen by the options")
      ->type_name("FILE");
  Handed handed(*command, arguments);
  handed.value("--recording", "Those of this recording")->type_name("NAME");
  handed
      .value("--from",
             "Those that go on after this: 2026-11-22T14:03:00Z, \"2026-11-22 14:03\" (local), -10min")
      ->type_name("TIME");
  handed.value("--to", "Those that begin before this")->type_name("TIME");
  handed.value("--class", "Those of this class")->check(CLI::IsMember({"continuous", "event", "protected"}));
  handed.value("--stream", "Those with a track of this stream")->type_name("STREAM");
  handed.value("--event", "Those with an event of this kind")->type_name("KIND");
  handed.value("--label", "Those in which this was seen")->type_name("LABEL");
  handed.value("--output", "export: the new file, .mkv, or .mp4 for browsers")->type_name("FILE");
  handed.flag("--decode", "verify: decode every frame, not only read it");
  handed.flag("--off", "protect: no longer");
  handed.value("--max-age", "retain: remove what ended longer ago (30d)")->type_name("DURATION");
  handed.value("--max-bytes", "retain: remove the oldest above this (500GB)")->type_name("SIZE");
  handed.value("--min-free", "retain: remove the oldest until the disk has this free (20GB)")
      ->type_name("SIZE");
  handed.flag("--dry-run", "protect, rm, retain: say what would be done, and do nothing");
  handed.flag("--json", "Print JSON");
  command->footer(
      "ls lists segments, show tells all about them, verify reads them and compares them with what is known "
      "of them, export "
      "joins those of a time into one file without transcoding, protect keeps them from retention, rm "
      "removes them, retain "
      "removes what limits do not allow, reindex makes the index anew from the files.\n"
      "Example: reel recordings ls recordings --from 2026-11-22T07:30Z\n"
      "Example: reel recordings verify recordings --decode\n"
      "Example: reel recordings export recordings --recording door --to now --output door.mp4\n"
      "Example: reel recordings retain recordings --max-age 30d --min-free 1MB --dry-run\n"
      "Ends with status 1 when something is wrong with the recordings.");
  command->callback([=] {
    Arguments all{"action=" + *action, "directory=" + *directory};
    for (const std::string& segment : *segments) all.push_back("segment=" + segment);
    all.insert(all.end(), arguments->begin(), arguments->end());
    start_program(all);
  });
}
