#include <reel/format/side_data.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace reel {
namespace {

struct EntryHeader {
  std::uint32_t type;
  std::uint32_t data_bytes;
  std::array<char, kSideDataNameBytes> name;
};
static_assert(sizeof(EntryHeader) == kSideDataHeaderBytes);

constexpr std::uint64_t padded(std::uint64_t bytes) {
  return (bytes + 7) / 8 * 8;
}

constexpr float kSilenceDbfs = -200;

// At most `limit` bytes of `text`, no UTF-8 character cut in half.
std::string_view cut(std::string_view text, std::size_t limit) noexcept {
  if (text.size() <= limit) return text;
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  std::size_t end = limit;
  while (end > 0 && continues(end)) --end;
  return text.substr(0, end);
}

template <std::size_t N>
void set_text(std::array<char, N>& place, std::string_view text) noexcept {
  const std::string_view kept = cut(text, N - 1);
  place.fill('\0');
  std::copy(kept.begin(), kept.end(), place.begin());
}

template <typename T>
std::span<const std::byte> bytes_of(const T& value) noexcept {
  return std::as_bytes(std::span<const T, 1>(&value, 1));
}

// The value of the first entry of `type`, if its size is right.
template <typename T>
std::optional<T> first_of(const SideDataView& view, SideDataType type) noexcept {
  for (const SideDataView::Entry& entry : view) {
    if (entry.type != type) continue;
    if (entry.data.size() != sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, entry.data.data(), sizeof value);
    return value;
  }
  return std::nullopt;
}

}  // namespace

void Detection::set_label(std::string_view text) noexcept {
  set_text(label, text);
}

std::string_view Detection::label_text() const noexcept {
  return {label.data(), ::strnlen(label.data(), label.size())};
}

SideDataView::Iterator::Iterator(std::span<const std::byte> rest) noexcept : rest_(rest) {
  read();
}

SideDataView::Iterator& SideDataView::Iterator::operator++() noexcept {
  rest_ = rest_.subspan(kSideDataHeaderBytes + padded(entry_.data.size()));
  read();
  return *this;
}

void SideDataView::Iterator::read() noexcept {
  at_end_ = true;
  if (rest_.size() < kSideDataHeaderBytes) return;
  EntryHeader header;
  std::memcpy(&header, rest_.data(), sizeof header);
  if (header.type == 0 || padded(header.data_bytes) > rest_.size() - kSideDataHeaderBytes) return;
  const char* name = reinterpret_cast<const char*>(rest_.data()) + offsetof(EntryHeader, name);
  entry_ = {static_cast<SideDataType>(header.type),
            {name, ::strnlen(name, kSideDataNameBytes)},
            rest_.subspan(kSideDataHeaderBytes, header.data_bytes)};
  at_end_ = false;
}

std::span<const Detection> SideDataView::detections(const Entry& entry) noexcept {
  if (entry.type != SideDataType::detections || entry.data.size() % sizeof(Detection) != 0) return {};
  // A view over an unaligned place is the caller's mistake or a peer's: there is no Detection to point at.
  if (reinterpret_cast<std::uintptr_t>(entry.data.data()) % alignof(Detection) != 0) return {};
  return {reinterpret_cast<const Detection*>(entry.data.data()), entry.data.size() / sizeof(Detection)};
}

std::optional<MotionScore> SideDataView::motion() const noexcept {
  const auto motion = first_of<MotionScore>(*this, SideDataType::motion);
  return motion && std::isfinite(motion->score) ? motion : std::nullopt;
}

std::optional<AudioLevel> SideDataView::audio_level() const noexcept {
  const auto level = first_of<AudioLevel>(*this, SideDataType::audio_level);
  const auto finite = [](const auto& values) {
    return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  };
  if (!level || level->channels > kMaxLevelChannels || !finite(level->rms_dbfs) || !finite(level->peak_dbfs))
    return std::nullopt;
  return level;
}

bool SideDataWriter::add_detections(std::string_view name, std::span<const Detection> detections) noexcept {
  return add(SideDataType::detections, name, std::as_bytes(detections));
}

bool SideDataWriter::add_motion(std::string_view name, const MotionScore& motion) noexcept {
  return add(SideDataType::motion, name, bytes_of(motion));
}

bool SideDataWriter::add_audio_level(std::string_view name, const AudioLevel& level) noexcept {
  AudioLevel stored = level;
  stored.channels = std::min<std::uint32_t>(level.channels, kMaxLevelChannels);
  // In this order std::max() turns a NaN into silence too.
  for (float& value : stored.rms_dbfs) value = std::max(kSilenceDbfs, value);
  for (float& value : stored.peak_dbfs) value = std::max(kSilenceDbfs, value);
  return add(SideDataType::audio_level, name, bytes_of(stored));
}

bool SideDataWriter::add_json(std::string_view name, std::string_view json) noexcept {
  return add(SideDataType::json, name, std::as_bytes(std::span(json)));
}

bool SideDataWriter::add_bytes(std::string_view name, std::span<const std::byte> bytes) noexcept {
  return add(SideDataType::bytes, name, bytes);
}

bool SideDataWriter::add_all(const SideDataView& other) noexcept {
  const std::size_t used_before = used_;
  for (const SideDataView::Entry& entry : other) {
    if (add(entry.type, entry.name, entry.data)) continue;
    used_ = used_before;
    return false;
  }
  return true;
}

bool SideDataWriter::add(SideDataType type, std::string_view name, std::span<const std::byte> data) noexcept {
  if (data.size() > std::numeric_limits<std::uint32_t>::max()) return false;
  const std::size_t entry_bytes = kSideDataHeaderBytes + padded(data.size());
  if (entry_bytes > place_.size() - used_) return false;

  EntryHeader header{static_cast<std::uint32_t>(type), static_cast<std::uint32_t>(data.size()), {}};
  set_text(header.name, name);
  std::byte* at = place_.data() + used_;
  std::memcpy(at, &header, sizeof header);
  at += sizeof header;
  if (!data.empty()) std::memcpy(at, data.data(), data.size());
  std::fill(at + data.size(), at + padded(data.size()), std::byte{0});
  used_ += entry_bytes;
  return true;
}

}  // namespace reel
