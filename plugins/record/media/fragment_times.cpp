#include "fragment_times.hpp"

#include <functional>
#include <string_view>

namespace record {

namespace {

using Bytes = std::span<std::byte>;

std::uint64_t number_at(Bytes bytes, std::size_t place, std::size_t length) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < length && place + i < bytes.size(); ++i)
    value = value << 8U | std::to_integer<std::uint64_t>(bytes[place + i]);
  return value;
}

void put_number(Bytes bytes, std::size_t place, std::size_t length, std::uint64_t value) {
  for (std::size_t i = 0; i < length && place + i < bytes.size(); ++i)
    bytes[place + i] = static_cast<std::byte>(value >> (8 * (length - 1 - i)) & 0xFFU);
}

// ISO/IEC 14496-12, section 4.2: length, type, content.
void for_each_box(Bytes bytes, std::string_view wanted, const std::function<void(Bytes)>& visit) {
  while (bytes.size() >= 8) {
    const std::uint64_t length = number_at(bytes, 0, 4);
    if (length < 8 || length > bytes.size()) return;
    const std::string_view type(reinterpret_cast<const char*>(bytes.data()) + 4, 4);
    if (type == wanted) visit(bytes.subspan(8, static_cast<std::size_t>(length) - 8));
    bytes = bytes.subspan(static_cast<std::size_t>(length));
  }
}

bool begins_with(std::span<const std::byte> bytes, std::string_view type) {
  return bytes.size() >= 8 && std::string_view(reinterpret_cast<const char*>(bytes.data()) + 4, 4) == type;
}

// Sections 8.3.2 and 8.4.2: version and flags, two times of 4 or 8 bytes, then the number.
std::uint32_t number_behind_times(Bytes box) {
  const bool wide = number_at(box, 0, 1) == 1;
  return static_cast<std::uint32_t>(number_at(box, wide ? 20 : 12, 4));
}

std::map<std::uint32_t, std::uint32_t> timescales_of(Bytes bytes) {
  std::map<std::uint32_t, std::uint32_t> timescales;
  for_each_box(bytes, "moov", [&](Bytes movie) {
    for_each_box(movie, "trak", [&](Bytes track) {
      std::uint32_t number = 0;
      for_each_box(track, "tkhd", [&](Bytes header) { number = number_behind_times(header); });
      for_each_box(track, "mdia", [&](Bytes media) {
        for_each_box(media, "mdhd", [&](Bytes header) { timescales[number] = number_behind_times(header); });
      });
    });
  });
  return timescales;
}

// Section 8.8.12: baseMediaDecodeTime.
void add_to_fragment_time(Bytes box, std::uint64_t ticks) {
  const std::size_t length = number_at(box, 0, 1) == 1 ? 8 : 4;
  put_number(box, 4, length, number_at(box, 4, length) + ticks);
}

}  // namespace

int FragmentTimes::write(std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
  const bool movie = begins_with(bytes, "moov");
  if (!movie && !begins_with(bytes, "moof")) return sink_.write(offset, bytes);
  std::vector<std::byte> copy(bytes.begin(), bytes.end());
  if (movie) timescales_ = timescales_of(copy);
  for_each_box(copy, "moof", [&](Bytes fragment) {
    for_each_box(fragment, "traf", [&](Bytes track) {
      std::uint64_t ticks = 0;
      for_each_box(track, "tfhd", [&](Bytes header) {
        const auto number = static_cast<std::uint32_t>(number_at(header, 4, 4));
        if (number == 0 || number > begins_ns_.size()) return;
        ticks = static_cast<std::uint64_t>(begins_ns_[number - 1]) * timescales_[number] / 1'000'000'000;
      });
      for_each_box(track, "tfdt", [&](Bytes time) { add_to_fragment_time(time, ticks); });
    });
  });
  return sink_.write(offset, copy);
}

}  // namespace record
