#include "structure_bytes.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include <reel/gst/pointers.hpp>

#include "packed.hpp"

namespace reel::gst {
namespace {

// The numbers are part of the format.
enum class Held : std::uint8_t { buffer = 1, bytes = 2 };

struct Taken {
  Packer* to;
  std::vector<GQuark> fields;
};

gboolean take_blob(GQuark field, const GValue* value, gpointer data) {
  auto* taken = static_cast<Taken*>(data);
  const auto begin = [&](Held held) -> Packer& {
    taken->fields.push_back(field);
    return taken->to->number(static_cast<std::uint8_t>(held)).text(g_quark_to_string(field));
  };
  if (GST_VALUE_HOLDS_BUFFER(value) && gst_value_get_buffer(value) != nullptr) {
    GstMapInfo map{};
    if (gst_buffer_map(gst_value_get_buffer(value), &map, GST_MAP_READ) == FALSE) return TRUE;
    if (map.size <= G_MAXUINT32) begin(Held::buffer).sized(std::as_bytes(std::span(map.data, map.size)));
    gst_buffer_unmap(gst_value_get_buffer(value), &map);
  } else if (G_VALUE_HOLDS(value, G_TYPE_BYTES) && g_value_get_boxed(value) != nullptr) {
    gsize size = 0;
    const void* data_of = g_bytes_get_data(static_cast<GBytes*>(g_value_get_boxed(value)), &size);
    if (size <= G_MAXUINT32) begin(Held::bytes).sized({static_cast<const std::byte*>(data_of), size});
  }
  return TRUE;
}

void put_blob(GstStructure* structure, Held held, const std::string& field, std::span<const std::byte> data) {
  if (held == Held::buffer) {
    GstBuffer* buffer = data.empty() ? gst_buffer_new() : gst_buffer_new_memdup(data.data(), data.size());
    gst_structure_set(structure, field.c_str(), GST_TYPE_BUFFER, buffer, nullptr);
    gst_buffer_unref(buffer);
  } else {
    GBytes* bytes = g_bytes_new(data.data(), data.size());
    gst_structure_set(structure, field.c_str(), G_TYPE_BYTES, bytes, nullptr);
    g_bytes_unref(bytes);
  }
}

bool put_blobs(GstStructure* structure, std::span<const std::byte> packed) {
  Unpacker from(packed);
  while (from.good() && !from.done()) {
    const auto held = static_cast<Held>(from.number<std::uint8_t>());
    const std::string field = from.text();
    const auto data = from.sized();
    const bool known = held == Held::buffer || held == Held::bytes;
    const bool named = !field.empty() && field.find('\0') == std::string::npos &&
                       g_utf8_validate(field.c_str(), -1, nullptr) != FALSE;
    if (!from.good() || !known || !named) return false;
    put_blob(structure, held, field, data);
  }
  return true;
}

// gst_structure_from_string() complains in the log of names that begin with anything else.
bool begins_with_a_name(const std::string& text) {
  return !text.empty() && g_ascii_isalpha(text.front()) != FALSE;
}

}  // namespace

std::optional<std::vector<std::byte>> structure_bytes(const GstStructure* structure) {
  Packer blobs;
  Taken taken{&blobs, {}};
  gst_structure_foreach(structure, take_blob, &taken);
  const StructurePtr rest(gst_structure_copy(structure));
  for (const GQuark field : taken.fields) gst_structure_remove_field(rest.get(), g_quark_to_string(field));

  const Text text(gst_structure_to_string(rest.get()));
  const StructurePtr again(gst_structure_from_string(text.get(), nullptr));
  if (!again || gst_structure_is_equal(again.get(), rest.get()) == FALSE) return std::nullopt;
  const auto* begin = reinterpret_cast<const std::byte*>(text.get());
  std::vector<std::byte> bytes(begin, begin + std::strlen(text.get()));
  if (taken.fields.empty()) return bytes;
  bytes.push_back(std::byte{0});
  bytes.insert(bytes.end(), blobs.packed().begin(), blobs.packed().end());
  return bytes;
}

StructurePtr structure_from(std::span<const std::byte> bytes) {
  const auto zero = std::find(bytes.begin(), bytes.end(), std::byte{0});
  const std::string text(reinterpret_cast<const char*>(bytes.data()),
                         static_cast<std::size_t>(zero - bytes.begin()));
  if (!begins_with_a_name(text) ||
      g_utf8_validate(text.c_str(), static_cast<gssize>(text.size()), nullptr) == FALSE)
    return nullptr;
  StructurePtr structure(gst_structure_from_string(text.c_str(), nullptr));
  if (!structure || zero == bytes.end()) return structure;
  const auto blobs = bytes.subspan(static_cast<std::size_t>(zero - bytes.begin()) + 1);
  return put_blobs(structure.get(), blobs) ? std::move(structure) : nullptr;
}

}  // namespace reel::gst
