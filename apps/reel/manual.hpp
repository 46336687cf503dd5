// Manual pages, made of the command line's own help. Single-thread.
#pragma once

#include <string>

namespace CLI {
class App;
}

/// Writes reel.1 and reel-COMMAND.1 for each command into a directory, which is made where it is not there.
/// Throws reel::Error where one cannot be written.
/// @see man-pages(7), groff_man(7)
void write_manual(const CLI::App& app, const std::string& directory);
