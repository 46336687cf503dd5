#include "backends.hpp"

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/shm/backend.hpp>

namespace reel {

std::string_view to_string(SegmentKind kind) noexcept {
  switch (kind) {
    case SegmentKind::memfd: return "memfd";
    case SegmentKind::posix: return "posix";
  }
  return "unknown";
}

std::optional<SegmentKind> segment_kind_from(std::string_view name) noexcept {
  for (const SegmentKind kind : {SegmentKind::memfd, SegmentKind::posix}) {
    if (name == to_string(kind)) return kind;
  }
  return std::nullopt;
}

const SegmentBackend& segment_backend(SegmentKind kind) {
  switch (kind) {
    case SegmentKind::memfd: return memfd_backend();
    case SegmentKind::posix: return posix_backend();
  }
  throw Error(ErrorCode::unsupported,
              fmt::format("memory kind {} is not in this build, which has memfd ({}) and posix ({})",
                          static_cast<std::uint32_t>(kind), static_cast<std::uint32_t>(SegmentKind::memfd),
                          static_cast<std::uint32_t>(SegmentKind::posix)));
}

std::vector<SegmentKind> segment_kinds() {
  return {SegmentKind::memfd, SegmentKind::posix};
}

}  // namespace reel
