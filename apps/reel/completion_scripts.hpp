// The scripts that have a shell ask `reel` for what it may offer (completion.hpp). Single-thread.
#pragma once

#include <string>
#include <string_view>

/// Of "bash", "zsh" or "fish".
[[nodiscard]] std::string_view completion_script(std::string_view shell);

/// Writes reel.bash, _reel (zsh) and reel.fish into a directory. Throws reel::Error where one cannot be
/// written.
void write_completions(const std::string& directory);
