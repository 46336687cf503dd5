// The kinds of memory a stream can live on. Pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace reel {

/// The numbers are part of the handshake.
enum class SegmentKind : std::uint32_t {
  memfd = 1,  // anonymous, sealed by the kernel, gone with its last user: the default
  posix = 2   // named (shm_open): not sealed, for peers that trust each other
};

[[nodiscard]] std::string_view to_string(SegmentKind kind) noexcept;
[[nodiscard]] std::optional<SegmentKind> segment_kind_from(std::string_view name) noexcept;

}  // namespace reel
