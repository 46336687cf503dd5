#include "completion.hpp"

#include "definition.hpp"
#include "live_names.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>

namespace {

using Lines = std::vector<std::string>;

// What has been typed of one command.
struct Typed {
  const CLI::App* command;
  Lines values;                          // of positionals, and so many of these there are
  std::set<const CLI::Option*> given;    // options
  const CLI::Option* awaited = nullptr;  // the option whose value comes next
};

const CLI::Option* option_called(const CLI::App& command, const std::string& word) {
  for (const CLI::Option* option : flags_and_options_of(command))
    if (option->check_name(word)) return option;
  return nullptr;
}

const CLI::App* command_called(const CLI::App& app, const std::string& name) {
  for (const CLI::App* command : commands_of(app))
    if (command->get_name() == name) return command;
  return nullptr;
}

// The words before the one that is being typed, behind the command's name.
Typed read(const CLI::App& command, const Lines& words) {
  Typed typed{&command, {}, {}, nullptr};
  for (const std::string& word : words) {
    if (word == "=") continue;  // bash: of --option=value
    if (typed.awaited != nullptr) {
      typed.awaited = nullptr;
    } else if (word.starts_with("-")) {
      const CLI::Option* option = option_called(command, word.substr(0, word.find('=')));
      if (option == nullptr) continue;
      typed.given.insert(option);
      if (takes_value(*option) && word.find('=') == std::string::npos) typed.awaited = option;
    } else {
      typed.values.push_back(word);
    }
  }
  return typed;
}

std::optional<std::string> pipeline_file(const Typed& typed) {
  for (const std::string& value : typed.values) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(value, ignored)) return value;
  }
  return std::nullopt;
}

// Offers what begins with what is typed.
class Offer {
 public:
  /// `before`: what stands in the same word in front of every candidate ("--format=").
  Offer(std::string typed, std::string before) : typed_(std::move(typed)), before_(std::move(before)) {}

  void add(const std::string& candidate, const std::string& meaning = {}) {
    if (!candidate.starts_with(typed_)) return;
    const std::string line = meaning.substr(0, meaning.find('\n'));
    lines_.push_back(before_ + candidate + (line.empty() ? "" : "\t" + line));
  }
  void add(const std::vector<NamedThing>& things, const char* behind = "") {
    for (const NamedThing& thing : things) add(thing.name + behind, thing.meaning);
  }
  void direct(const char* line) { lines_.emplace_back(line); }
  [[nodiscard]] const std::string& typed() const noexcept { return typed_; }
  [[nodiscard]] Lines take() { return std::move(lines_); }

 private:
  std::string typed_, before_;
  Lines lines_;
};

void offer_settings(const Typed& typed, Offer& offer) {
  offer.direct(":nospace");
  const auto file = pipeline_file(typed);
  if (!file) return;
  const std::size_t dot = offer.typed().find('.');
  if (dot == std::string::npos)
    offer.add(names_of_stages_in(*file), ".");
  else
    offer.add(names_of_settings(*file, offer.typed().substr(0, dot)));
}

void offer_stages(const Typed& typed, Offer& offer, const char* behind) {
  const auto file = pipeline_file(typed);
  offer.add(file ? names_of_stages_in(*file) : names_of_running_stages(typed.values), behind);
}

void offer_kind(const std::string& kind, const Typed& typed, Offer& offer) {
  if (kind == "STREAM") {
    offer.add(names_of_streams());
  } else if (kind == "PIPELINE") {
    offer.add(names_of_pipelines());
  } else if (kind == "RECORDING") {
    offer.add(names_of_recordings());
  } else if (kind == "STAGE") {
    offer_stages(typed, offer, "");
  } else if (kind == "STAGE=COMMAND") {
    offer.direct(":nospace");
    offer_stages(typed, offer, "=");
  } else if (kind == "SETTING") {
    offer_settings(typed, offer);
  } else if (kind == "PLUGIN") {
    offer.add(names_of_plugins());
  } else if (kind == "YAML") {
    offer.direct(":files yaml yml");
  } else if (kind == "FILE") {
    offer.direct(":files");
  } else if (kind == "DIR") {
    offer.direct(":dirs");
  }
}

void offer_values(const CLI::Option& option, const Typed& typed, Offer& offer) {
  for (const std::string& choice : choices_of(option)) offer.add(choice);
  std::istringstream kinds(kind_of(option));
  for (std::string kind; std::getline(kinds, kind, '|');) offer_kind(kind, typed, offer);
}

void offer_options(const CLI::App& command, const std::set<const CLI::Option*>& given, Offer& offer) {
  for (const CLI::Option* option : flags_and_options_of(command)) {
    const bool again = option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
    if (given.contains(option) && !again) continue;
    for (const std::string& name : option->get_lnames()) offer.add("--" + name, option->get_description());
  }
}

Lines complete_command(const CLI::App& command, const Lines& before, const std::string& word) {
  const Typed typed = read(command, before);
  const std::size_t equals = word.find('=');
  if (typed.awaited != nullptr) {
    Offer offer(word == "=" ? "" : word, "");
    offer_values(*typed.awaited, typed, offer);
    return offer.take();
  }
  if (word.starts_with("--") && equals != std::string::npos) {
    Offer offer(word.substr(equals + 1), word.substr(0, equals + 1));
    const CLI::Option* option = option_called(command, word.substr(0, equals));
    if (option != nullptr && takes_value(*option)) offer_values(*option, typed, offer);
    return offer.take();
  }
  Offer offer(word, "");
  const std::vector<const CLI::Option*> positionals = positionals_of(command);
  if (word.starts_with("-"))
    offer_options(command, typed.given, offer);
  else if (typed.values.size() < positionals.size())
    offer_values(*positionals[typed.values.size()], typed, offer);
  return offer.take();
}

}  // namespace

std::vector<std::string> complete(const CLI::App& app, const std::vector<std::string>& words,
                                  std::size_t current) noexcept {
  try {
    const std::string word = current < words.size() ? words[current] : "";
    if (current <= 1) {
      Offer offer(word, "");
      for (const CLI::App* command : commands_of(app))
        offer.add(command->get_name(), command->get_description());
      if (word.starts_with("-")) offer_options(app, {}, offer);
      return offer.take();
    }
    const CLI::App* command = command_called(app, words.at(1));
    if (command == nullptr) return {};
    const auto first = words.begin() + 2;
    return complete_command(
        *command, Lines(first, std::min(words.begin() + static_cast<std::ptrdiff_t>(current), words.end())),
        word);
  } catch (const std::exception&) {
    return {};
  }
}
