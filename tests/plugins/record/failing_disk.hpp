// A disk that fails where a test wants it: calls of this process on files of recordings give errors instead.
// Thread-safe.
#pragma once

#include <string>

namespace reel_test {

/// Only files whose path holds `files` are concerned. 0: the call works.
struct DiskFaults {
  std::string files = ".open.";
  int write = 0;     // errno of pwrite(), once `written` bytes were
  long written = 0;  // of all these files together, from now on
  int sync = 0;      // errno of fdatasync()
  int allocate = 0;  // errno of fallocate()
  int end = 0;  // errno of pwrite() that goes back to the beginning, as the end of a file makes muxers do
};
/// From now on.
void fail_disk(const DiskFaults& faults);
void mend_disk();
/// Calls that have failed since fail_disk().
[[nodiscard]] long failures();
/// Calls of fdatasync() on `path` that worked.
[[nodiscard]] long syncs_of(const std::string& path);

}  // namespace reel_test
