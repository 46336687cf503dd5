// Typed facts that travel with a frame: detections, motion, audio level, JSON, opaque bytes. A flat sequence
// of entries in a bounded place behind the payload, covered by a checksum. Format (little-endian, each entry
// 8-byte aligned):
//   u32 type | u32 data bytes | char name[24], zero-padded | data, zero-padded to 8
// Type 0 is no entry: zeros behind the last one are an end. Pure values; the view never trusts the bytes it
// reads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace reel {

/// The numbers are part of the format.
enum class SideDataType : std::uint32_t { detections = 1, motion = 2, audio_level = 3, json = 4, bytes = 5 };

/// A box in pixels of the frame it came with, origin at the top left.
struct Detection {
  std::array<char, 32> label{};  // zero-terminated; longer labels are cut
  float score = 0;               // 0 to 1
  float x = 0, y = 0;            // left, top
  float width = 0, height = 0;
  std::uint32_t track_id = 0;  // 0: not tracked

  void set_label(std::string_view text) noexcept;
  [[nodiscard]] std::string_view label_text() const noexcept;
};
static_assert(sizeof(Detection) == 56);

struct MotionScore {
  float score = 0;  // share of pixels that moved, 0 to 1
};

inline constexpr std::size_t kMaxLevelChannels = 8;
/// Decibels relative to full scale (a full-scale square wave is 0 dBFS; silence is -infinity, stored as
/// -200).
struct AudioLevel {
  std::uint32_t channels = 0;  // entries used below
  std::array<float, kMaxLevelChannels> rms_dbfs{};
  std::array<float, kMaxLevelChannels> peak_dbfs{};
};
static_assert(sizeof(AudioLevel) == 68);

inline constexpr std::size_t kMaxSideDataBytes = std::size_t{16} << 20;  // of one frame, at most
inline constexpr std::size_t kSideDataHeaderBytes = 32;
inline constexpr std::size_t kSideDataNameBytes = 24;  // of an entry's name, the closing zero included

/// Reads entries out of bytes that another process wrote. The bytes must stay unchanged meanwhile (a pinned,
/// verified frame).
class SideDataView {
 public:
  struct Entry {
    SideDataType type;
    std::string_view name;  // who wrote it, e.g. "opencv.faces"
    std::span<const std::byte> data;
  };
  class Iterator {
   public:
    explicit Iterator(std::span<const std::byte> rest) noexcept;
    [[nodiscard]] const Entry& operator*() const noexcept { return entry_; }
    [[nodiscard]] const Entry* operator->() const noexcept { return &entry_; }
    Iterator& operator++() noexcept;
    [[nodiscard]] bool operator==(const Iterator& other) const noexcept { return at_end_ == other.at_end_; }

   private:
    void read() noexcept;
    std::span<const std::byte> rest_;
    Entry entry_{};
    bool at_end_ = false;
    friend class SideDataView;
  };

  SideDataView() noexcept = default;
  explicit SideDataView(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  /// Stops at the first entry that does not fit its place.
  [[nodiscard]] Iterator begin() const noexcept { return Iterator(bytes_); }
  [[nodiscard]] Iterator end() const noexcept { return Iterator({}); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty() || begin() == end(); }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

  /// The detections of an entry of that type (empty for another, or when bytes() is not aligned for them).
  /// The numbers are the writer's: clamp them before they become indexes (a hostile one may be NaN).
  [[nodiscard]] static std::span<const Detection> detections(const Entry& entry) noexcept;
  /// The first entry of the type, if any and of finite numbers.
  [[nodiscard]] std::optional<MotionScore> motion() const noexcept;
  [[nodiscard]] std::optional<AudioLevel> audio_level() const noexcept;

 private:
  std::span<const std::byte> bytes_;
};

/// Appends entries to a bounded place. Names and labels that are too long are cut between characters. Every
/// add returns false, and writes nothing, when the entry does not fit.
class SideDataWriter {
 public:
  SideDataWriter() noexcept = default;
  /// `place` is 8-byte aligned.
  explicit SideDataWriter(std::span<std::byte> place) noexcept : place_(place) {}

  [[nodiscard]] bool add_detections(std::string_view name, std::span<const Detection> detections) noexcept;
  [[nodiscard]] bool add_motion(std::string_view name, const MotionScore& motion) noexcept;
  /// Levels below -200 dBFS, and no numbers, are stored as -200.
  [[nodiscard]] bool add_audio_level(std::string_view name, const AudioLevel& level) noexcept;
  [[nodiscard]] bool add_json(std::string_view name, std::string_view json) noexcept;
  [[nodiscard]] bool add_bytes(std::string_view name, std::span<const std::byte> bytes) noexcept;
  /// One entry of another frame as it is.
  [[nodiscard]] bool add_entry(const SideDataView::Entry& entry) noexcept {
    return add(entry.type, entry.name, entry.data);
  }
  /// Every entry of another frame, or none: how a filter passes on what it found.
  [[nodiscard]] bool add_all(const SideDataView& other) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return used_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return place_.size(); }
  [[nodiscard]] SideDataView view() const noexcept { return SideDataView(place_.first(used_)); }

 private:
  [[nodiscard]] bool add(SideDataType type, std::string_view name, std::span<const std::byte> data) noexcept;
  std::span<std::byte> place_;
  std::size_t used_ = 0;
};

}  // namespace reel
