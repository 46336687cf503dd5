// Whether a disk is there. Thread-safe; asks the kernel.
#pragma once

#include <string>

namespace record {

/// Throws Error{not_found} unless something is mounted at `mount` and `directory` lies on it or below.
void check_mount(const std::string& mount, const std::string& directory);

}  // namespace record
