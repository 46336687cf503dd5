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

// An option in front of the command.
std::string early_text(const CLI::App& app, const CLI::App& command, const std::string& word) {
  const std::vector<std::string> names = option_names(command);
  const std::optional<std::string> nearest = reel::nearest_name(word.substr(0, word.find('=')), names);
  if (!nearest) return stray_text(app, word, "reel --help");
  return fmt::format("'{}' stands before the command; did you mean `reel {} {}`?", word, command.get_name(),
                     *nearest);
}

// CLI11 words some of these for whoever wrote the program.
std::string plain_text(const CLI::ParseError& error) {
  const std::string text = error.what();
  const std::string name = text.substr(0, text.find_first_of(": "));
  if (text.find(" required ") != std::string::npos && text.ends_with(" missing"))
    return name + " needs a value";
  if (text.find("disallowed flag override") != std::string::npos)
    return (name.starts_with("-") ? "" : "--") + name + " takes no value";
  return text;
}

}  // namespace

std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<CLI::App*> named = app.get_subcommands();
  const CLI::App& command = named.empty() ? app : *named.front();
  if (!named.empty()) {
    if (const auto word = stray_word(app)) return early_text(app, command, *word);
  }
  const std::string prefix = named.empty() ? "" : command.get_name() + ": ";
  const std::string help = named.empty() ? "reel --help" : fmt::format("reel {} --help", command.get_name());
  // CLI11 would speak of what is required first, though it is missing because of a slip.
  if (const auto word = stray_word(command)) return prefix + stray_text(command, *word, help);
  if (named.empty()) {
    std::vector<std::string> commands;
    for (const CLI::App* one : app.get_subcommands(nullptr)) commands.push_back(one->get_name());
    return fmt::format("a command is required: {}; see `{}`", reel::join_or(commands), help);
  }
  return fmt::format("{}{}; see `{}`", prefix, plain_text(error), help);
}
