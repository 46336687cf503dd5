// Bytes of side-data entries: written in order, read back in the same order without trust. Little-endian, as
// the machine is. Single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace reel::gst {

class Packer {
 public:
  template <typename Number>
  requires std::is_arithmetic_v<Number> Packer& number(Number value) {
    return bytes(std::as_bytes(std::span(&value, 1)));
  }
  Packer& bytes(std::span<const std::byte> given) {
    packed_.insert(packed_.end(), given.begin(), given.end());
    return *this;
  }
  /// Bytes behind their 32-bit size. REQUIRES: fewer than 4 GiB.
  Packer& sized(std::span<const std::byte> given) {
    return number(static_cast<std::uint32_t>(given.size())).bytes(given);
  }
  Packer& text(std::string_view given) { return sized(std::as_bytes(std::span(given))); }

  [[nodiscard]] std::span<const std::byte> packed() const noexcept { return packed_; }

 private:
  std::vector<std::byte> packed_;
};

/// Once something was not there, everything after it is zero and empty, and good() says so.
class Unpacker {
 public:
  explicit Unpacker(std::span<const std::byte> packed) noexcept : rest_(packed) {}

  template <typename Number>
  requires std::is_arithmetic_v<Number> Number number()
  noexcept {
    Number value{};
    const auto from = bytes(sizeof value);
    if (good_) std::memcpy(&value, from.data(), sizeof value);
    return value;
  }
  std::span<const std::byte> bytes(std::size_t size) noexcept {
    if (size > rest_.size()) good_ = false;
    if (!good_) return {};
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  std::span<const std::byte> sized() noexcept { return bytes(number<std::uint32_t>()); }
  std::string text() {
    const auto from = sized();
    return {reinterpret_cast<const char*>(from.data()), from.size()};
  }

  [[nodiscard]] bool good() const noexcept { return good_; }
  /// Good, and nothing left.
  [[nodiscard]] bool done() const noexcept { return good_ && rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
  bool good_ = true;
};

}  // namespace reel::gst
