// Sleeping on a 32-bit word (futex(2)). Thread-safe; enters the kernel.
#pragma once

#include <atomic>
#include <cstdint>

namespace reel {

enum class FutexScope { process, shared };  // shared: the word lies in memory that several processes map

/// Sleeps while `word` equals `expected`, at most `timeout_ns` (negative: for ever). May return early for no
/// reason.
void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t timeout_ns,
                FutexScope scope) noexcept;

/// Wakes every sleeper.
void futex_wake(const std::atomic<std::uint32_t>& word, FutexScope scope) noexcept;

}  // namespace reel
