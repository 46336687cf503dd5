// Programs that are started by their name. Thread-safe; reads the file system.
#pragma once

#include <filesystem>
#include <string>

/// Where PATH leads for `name`; `name` itself where that is a path. Empty where there is no such program.
[[nodiscard]] std::string find_program(const std::string& name);

/// What lies at `path` from this program's directory: built and installed trees have the same shape.
[[nodiscard]] std::filesystem::path in_tree(const char* path);
