#include "segment_suite.hpp"

#include <cstdio>

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
