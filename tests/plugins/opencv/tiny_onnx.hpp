// Models in ONNX form, written here byte by byte. The mean of each channel of a picture: as a classifier it
// says which colour a picture has. A picture as it is: as a detector it says what the picture's own pixels
// say, a row of numbers each row. Pure functions.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

namespace tiny_onnx {

// Protocol buffers' wire format (protobuf.dev/programming-guides/encoding), the messages of onnx.proto.
inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += static_cast<char>((value & 127) | 128);
  return bytes + static_cast<char>(value);
}
inline std::string number(int field, std::uint64_t value) {
  return varint(static_cast<std::uint64_t>(field) << 3) + varint(value);
}
inline std::string text(int field, const std::string& bytes) {
  return varint((static_cast<std::uint64_t>(field) << 3) | 2) + varint(bytes.size()) + bytes;
}

/// ValueInfoProto of floats.
inline std::string value_info(const std::string& name, std::initializer_list<int> dimensions) {
  std::string shape;
  for (const int size : dimensions) shape += text(1, number(1, static_cast<std::uint64_t>(size)));
  return text(1, name) + text(2, text(1, number(1, 1) + text(2, shape)));
}

/// One node between input "picture" and output `name`.
inline std::string one_node(const std::string& operation, const std::string& name,
                            std::initializer_list<int> input, std::initializer_list<int> output) {
  const std::string node = text(1, "picture") + text(2, name) + text(3, "node") + text(4, operation);
  const std::string graph = text(1, node) + text(2, "one node") + text(11, value_info("picture", input)) +
                            text(12, value_info(name, output));
  return number(1, 7) + text(7, graph) + text(8, text(1, "") + number(2, 11));
}

/// Input "picture" of 1 x channels x size x size, output "means" of 1 x channels x 1 x 1.
inline std::string channel_means(int channels, int size) {
  return one_node("GlobalAveragePool", "means", {1, channels, size, size}, {1, channels, 1, 1});
}

/// As channel_means(), and the greatest value of each channel as output "peaks".
inline std::string channel_means_and_peaks(int channels, int size) {
  std::string graph;
  for (const auto& [operation, name] : {std::pair("GlobalAveragePool", "means"), {"GlobalMaxPool", "peaks"}})
    graph += text(1, text(1, "picture") + text(2, name) + text(3, name) + text(4, operation));
  graph += text(2, "two nodes") + text(11, value_info("picture", {1, channels, size, size})) +
           text(12, value_info("means", {1, channels, 1, 1})) +
           text(12, value_info("peaks", {1, channels, 1, 1}));
  return number(1, 7) + text(7, graph) + text(8, text(1, "") + number(2, 11));
}

/// Input "picture" of 1 x 1 x height x width, output "rows" the same; what is below 0 becomes 0.
inline std::string rows_of_pixels(int width, int height) {
  return one_node("Relu", "rows", {1, 1, height, width}, {1, 1, height, width});
}

}  // namespace tiny_onnx
