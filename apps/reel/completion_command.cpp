// `reel completion`: the script that has a shell complete `reel ...`.
#include "commands.hpp"
#include "completion_scripts.hpp"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

void add_completion(CLI::App& app, CommandResult&) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Print the script that has a shell complete `reel`");
  command->add_option("SHELL", *shell, "which shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer(
      "An installation puts them where the shells look. Elsewhere: source <(reel completion bash), the same "
      "with zsh,\nor reel completion fish | source.\n"
      "Example: reel completion bash > reel.bash");
  command->callback([shell] { fmt::print("{}", completion_script(*shell)); });
}
