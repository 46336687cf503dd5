#include "container_size.hpp"

#include <array>
#include <bit>
#include <cctype>
#include <limits>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reel/base/unique_fd.hpp>

namespace capture {

namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

std::uint64_t saturated_sum(std::uint64_t a, std::uint64_t b) {
  return a > kMost - b ? kMost : a + b;
}

/// The first bytes at some place of the file; `size` tells how many there are.
struct Window {
  std::array<unsigned char, 16> bytes{};
  std::size_t size = 0;

  [[nodiscard]] std::uint64_t big_endian(std::size_t at, std::size_t count) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[at + i];
    return value;
  }
  [[nodiscard]] bool has_text(std::size_t at, std::string_view text) const {
    if (at + text.size() > size) return false;
    for (std::size_t i = 0; i < text.size(); ++i)
      if (bytes[at + i] != static_cast<unsigned char>(text[i])) return false;
    return true;
  }
};

class File {
 public:
  explicit File(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat status {};
    if (fd_ && fstat(fd_.get(), &status) == 0 && S_ISREG(status.st_mode))
      bytes_ = static_cast<std::uint64_t>(status.st_size);
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] Window read(std::uint64_t offset) const {
    Window window;
    if (offset >= bytes_) return window;
    const ssize_t got =
        pread(fd_.get(), window.bytes.data(), window.bytes.size(), static_cast<off_t>(offset));
    if (got > 0) window.size = static_cast<std::size_t>(got);
    return window;
  }

 private:
  reel::UniqueFd fd_;
  std::uint64_t bytes_ = 0;
};

bool is_box_type(const Window& window) {
  for (std::size_t i = 4; i < 8; ++i)
    if (std::isalnum(window.bytes[i]) == 0 && window.bytes[i] != ' ' && window.bytes[i] != 0xa9) return false;
  return true;
}

// One past the last byte of the last box; 0 when it is no ISO file or the last box reaches to the end of the
// file.
std::uint64_t iso_end(const File& file) {
  constexpr int kMostBoxes = 100'000;
  if (!file.read(0).has_text(4, "ftyp")) return 0;
  std::uint64_t at = 0;
  for (int box = 0; box < kMostBoxes && at < file.bytes(); ++box) {
    const Window window = file.read(at);
    if (window.size < 8) return saturated_sum(at, 8);
    if (!is_box_type(window)) return 0;
    std::uint64_t size = window.big_endian(0, 4);
    if (size == 1) size = window.size == 16 ? window.big_endian(8, 8) : 16;
    if (size < 8) return 0;  // 0: to the end of the file; others: damaged in a way that is not truncation
    at = saturated_sum(at, size);
  }
  return at;
}

std::uint64_t riff_end(const File& file) {
  const Window window = file.read(0);
  if (!window.has_text(0, "RIFF") || window.size < 12) return 0;
  std::uint64_t size = 0;
  for (std::size_t i = 8; i-- > 4;) size = size << 8 | window.bytes[i];
  constexpr std::uint64_t kStreamed = 0x7fff0000;  // writers that cannot seek back put a huge number here
  return size == 0 || size >= kStreamed ? 0 : size + 8;
}

struct EbmlElement {
  std::uint64_t data_at = 0;
  std::uint64_t data_bytes = 0;
  bool known_size = false;
};

// REQUIRES: an element with a 4-byte id at `at`.
std::optional<EbmlElement> read_ebml(const File& file, std::uint64_t at) {
  const Window window = file.read(at);
  if (window.size < 5 || window.bytes[4] == 0) return std::nullopt;
  const auto length = static_cast<std::size_t>(std::countl_zero(window.bytes[4])) + 1;
  if (window.size < 4 + length) return std::nullopt;
  const std::uint64_t mask = (std::uint64_t{1} << (7 * length)) - 1;
  const std::uint64_t size = window.big_endian(4, length) & mask;
  return EbmlElement{at + 4 + length, size, size != mask};
}

std::uint64_t matroska_end(const File& file) {
  if (!file.read(0).has_text(0, "\x1a\x45\xdf\xa3")) return 0;
  const auto header = read_ebml(file, 0);
  if (!header || !header->known_size) return 0;
  const std::uint64_t at = saturated_sum(header->data_at, header->data_bytes);
  if (!file.read(at).has_text(0, "\x18\x53\x80\x67")) return 0;
  const auto segment = read_ebml(file, at);
  if (!segment || !segment->known_size) return 0;
  return saturated_sum(segment->data_at, segment->data_bytes);
}

}  // namespace

std::optional<SizeMismatch> find_truncation(const std::string& path) {
  const File file(path);
  for (const auto end_of : {iso_end, riff_end, matroska_end}) {
    const std::uint64_t promised = end_of(file);
    if (promised > file.bytes()) return SizeMismatch{promised, file.bytes()};
  }
  return std::nullopt;
}

}  // namespace capture
