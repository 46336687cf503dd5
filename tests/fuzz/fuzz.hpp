// What every fuzzer is made of: the entry point that libFuzzer and driver.cpp call, and the word for what
// must hold. Single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

/// One input, any bytes. Returns 0; ends the process when the code under test did what it must not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace reel::fuzz {

/// Ends the process, which keeps the input, unless `holds`.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace reel::fuzz
