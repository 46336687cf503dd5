// Which of the running pipelines a command is about. Single-thread.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include <reel/pipeline/control.hpp>

/// Adds the argument [PIPELINE].
void add_pipeline_argument(CLI::App& command, std::string& name);

/// `name`, or the one that runs where it is empty. Throws Error{not_found} where none does, {bad_argument}
/// naming them where there are several.
[[nodiscard]] std::string choose_pipeline(const std::string& name);
