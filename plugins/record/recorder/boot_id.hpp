// Which start of the kernel this is: CLOCK_MONOTONIC counts from it, whatever the wall clock is set to.
// Thread-safe.
#pragma once

#include <string>

namespace record {

/// The kernel's own (proc(5), random/boot_id); empty where it does not tell.
[[nodiscard]] const std::string& boot_id();

}  // namespace record
