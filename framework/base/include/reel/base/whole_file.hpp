// Files that are there whole or not at all: whoever opens one never finds half, and one that could not be
// replaced is as it was. Thread-safe, for different paths.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace reel {

/// Writes `bytes` beside `path` and renames. Its directory must be there; a file at `path` is replaced.
/// Throws Error{io | no_permission}, at `path`, with what the system said; `setting` is where the path was
/// chosen ("the option `path`"), which the message tells to change.
void write_whole_file(const std::string& path, std::span<const std::byte> bytes, std::string_view setting);

/// Throws what write_whole_file would for a place where no file can be made, and where there is something
/// else than a file (a directory, /dev/null): for whoever would learn that after long work.
void check_whole_file(const std::string& path, std::string_view setting);

}  // namespace reel
