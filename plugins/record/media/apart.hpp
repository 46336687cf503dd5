// Calls that may never come back: a driver that is stuck keeps whoever opens or stops its encoder. Each is
// made on a thread of its own, which is left behind where it takes too long. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace record {

/// Makes the call and waits for its end, no longer than `patience_ns`. False where it has not ended by then:
/// it goes on alone, and `call` with all that it holds is destroyed there. REQUIRES: `call` does not throw.
bool call_apart(std::function<void()> call, std::int64_t patience_ns);

/// Calls that were left behind and have not ended.
[[nodiscard]] std::size_t left_behind() noexcept;

/// More are not to be borne: each has threads and memory of its own.
inline constexpr std::size_t kMostLeftBehind = 4;

}  // namespace record
