#include "usage.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <reel/base/text.hpp>

namespace {

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// The first word that nothing took, an option before any other: it is the likelier slip.
std::optional<std::string> stray_word(const CLI::App& command) {
  std::vector<std::string> words = command.remaining();
  std::stable_partition(words.begin(), words.end(),
                        [](const std::string& word) { return word.starts_with('-'); });
  if (words.empty()) return std::nullopt;
  return words.front();
}

std::string stray_text(const CLI::App& command, const std::string& word, const std::string& help) {
  if (!word.starts_with('-')) return fmt::format("'{}' is one argument too many; see `{}`", word, help);
  const std::string name = word.substr(0, word.find('='));
  const std::vector<std::string> names = option_names(command);
  const std::optional<std::string> nearest = reel::nearest_name(name, names);
  return nearest ? fmt::format("there is no option '{}'; did you mean '{}'?", name, *nearest)
                 : fmt::format("there is no option '{}': there is {}; see `{}`", name, reel::join_or(names),
                               help);
}

}  // namespace

std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<CLI::App*> named = app.get_subcommands();
  const CLI::App& command = named.empty() ? app : *named.front();
  const std::string prefix = named.empty() ? "" : command.get_name() + ": ";
  const std::string help = named.empty() ? "reel --help" : fmt::format("reel {} --help", command.get_name());
  // CLI11 would speak of what is required first, though it is missing because of a slip.
  if (const auto word = stray_word(command)) return prefix + stray_text(command, *word, help);
  if (named.empty()) {
    std::vector<std::string> commands;
    for (const CLI::App* one : app.get_subcommands(nullptr)) commands.push_back(one->get_name());
    return fmt::format("a command is required: {}; see `{}`", reel::join_or(commands), help);
  }
  return fmt::format("{}{}; see `{}`", prefix, error.what(), help);
}
