// A plugin's folder to start from: the template that is installed with Reel, under a name of its own.
// Single-thread.
#pragma once

#include <string>

/// Writes the template into `directory`, which is made where it is not there. `name` is what pipelines will
/// call it ("acme.glow"); files and the class are named after it. Returns the lines to type next. Throws
/// Error{bad_argument} for a name that is none, or a directory that holds anything.
[[nodiscard]] std::string write_new_plugin(const std::string& name, const std::string& directory);
