#include "segment_suite.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <span>

std::size_t kernel_bytes(const std::string& what, const void* address) {
  std::ifstream smaps("/proc/self/smaps");
  char begin[32];
  std::snprintf(begin, sizeof begin, "%lx-", reinterpret_cast<unsigned long>(address));
  constexpr std::size_t kKilo = 1024;
  bool found = false;
  for (std::string line; std::getline(smaps, line);) {
    if (line.starts_with(begin)) found = true;
    if (found && line.starts_with(what + ":")) return std::stoul(line.substr(what.size() + 1)) * kKilo;
  }
  return 0;
}

bool all_zero(reel::SharedSegment& segment) {
  const std::span<const std::byte> bytes(segment.data(), segment.size());
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

int throws_error(reel::ErrorCode code, std::initializer_list<std::string> words,
                 const std::function<void()>& action) {
  try {
    action();
  } catch (const reel::Error& error) {
    bool good = error.code() == code;
    for (const std::string& word : words)
      good = good && std::string(error.what()).find(word) != std::string::npos;
    if (!good) std::fprintf(stderr, "not the error that was due: %s\n", error.what());
    return good ? 0 : 1;
  }
  std::fprintf(stderr, "nothing was thrown\n");
  return 1;
}
