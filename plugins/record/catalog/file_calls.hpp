// System calls on files as the store needs them: what fails names the file and what to do. Thread-safe.
#pragma once

#include <string>

#include <reel/base/unique_fd.hpp>

namespace record {

/// Throws Error for errno `why` of a call on `path`, with the fix for a full disk and a missing permission.
[[noreturn]] void fail_file(int why, const std::string& action, const std::string& path);

[[nodiscard]] bool exists(const std::string& path);
/// Empty where it cannot be read.
[[nodiscard]] std::string read_text(const std::string& path);
/// fdatasync of what is there under this name; nothing where there is no such file.
void sync_file(const std::string& path);
void sync_directory(const std::string& path);
/// Takes an exclusive lock on the whole file, for as long as it is open anywhere in this process. False:
/// another has it, and `wait` is not set.
[[nodiscard]] bool lock_file(const reel::UniqueFd& file, bool wait, const std::string& path);
/// True while another open file holds a lock on it. Takes none itself.
[[nodiscard]] bool is_locked(const reel::UniqueFd& file);

}  // namespace record
