// The command line as it defines itself, for what is made from that: completions and manual pages. Pure.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

/// The commands that people see, in the order of the help.
[[nodiscard]] std::vector<const CLI::App*> commands_of(const CLI::App& app);
[[nodiscard]] std::vector<const CLI::Option*> positionals_of(const CLI::App& command);
/// Those that begin with a dash.
[[nodiscard]] std::vector<const CLI::Option*> flags_and_options_of(const CLI::App& command);
[[nodiscard]] bool takes_value(const CLI::Option& option);
/// What its value must be one of; empty where that is not a list.
[[nodiscard]] std::vector<std::string> choices_of(const CLI::Option& option);
/// What kind of thing its value is: "STREAM", "PIPELINE|YAML", or its type where nothing better is known. The
/// name of a positional counts where its type is a plain text.
[[nodiscard]] std::string kind_of(const CLI::Option& option);
