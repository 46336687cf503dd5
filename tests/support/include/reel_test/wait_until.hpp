// Waiting for a condition under a watchdog: generous, against hangs alone. No test asserts how long something
// takes.
#pragma once

#include <chrono>
#include <thread>

namespace reel_test {

inline constexpr std::chrono::milliseconds kWatchdog{60'000};

/// Asks `condition` again and again; false when `watchdog` passed without its being true.
template <typename Condition>
[[nodiscard]] bool wait_until(Condition&& condition, std::chrono::milliseconds watchdog = kWatchdog) {
  const auto deadline = std::chrono::steady_clock::now() + watchdog;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace reel_test
