// A GstStructure as bytes and back: its text as gst_structure_to_string() writes it and, where fields hold
// buffers or GBytes, a zero and those fields as they are (text would double them). Thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <gst/gst.h>

namespace reel::gst {

struct FreeStructure {
  void operator()(GstStructure* structure) const noexcept { gst_structure_free(structure); }
};
using StructurePtr = std::unique_ptr<GstStructure, FreeStructure>;

/// nullopt when a field would not be the same after its way back: pointers, objects, types without a text.
/// Of a GstBuffer the bytes are kept, not its times and metas.
[[nodiscard]] std::optional<std::vector<std::byte>> structure_bytes(const GstStructure* structure);

/// nullptr for bytes that are no structure: they may be anybody's.
[[nodiscard]] StructurePtr structure_from(std::span<const std::byte> bytes);

}  // namespace reel::gst
