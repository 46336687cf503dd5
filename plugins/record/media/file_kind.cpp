#include "file_kind.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include <reel/base/error.hpp>

namespace record {

namespace {

class File {
 public:
  explicit File(const std::string& path)
      : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) reel::throw_errno(errno, "open", path);
    struct stat status {};
    if (::fstat(descriptor_, &status) == 0) size_ = static_cast<std::uint64_t>(status.st_size);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(descriptor_); }

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// How many of `bytes` there are at `place`.
  std::size_t read(std::uint64_t place, std::span<unsigned char> bytes) const {
    const ssize_t count = ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(place));
    if (count < 0) reel::throw_errno(errno, "read", path_);
    return static_cast<std::size_t>(count);
  }

 private:
  std::string path_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

// ISO/IEC 14496-12, section 4.2.
struct Box {
  std::string_view type() const { return {name.data(), name.size()}; }
  std::array<char, 4> name{};
  std::uint64_t bytes = 0;
  std::uint64_t header = 8;
};

std::uint64_t big_endian(std::span<const unsigned char> bytes) {
  std::uint64_t value = 0;
  for (const unsigned char byte : bytes) value = value << 8 | byte;
  return value;
}

// 0 bytes: there is none, or none that is whole.
Box box_at(const File& file, std::uint64_t place) {
  std::array<unsigned char, 16> head{};
  Box box;
  const std::size_t got = file.read(place, head);
  if (got < 8) return box;
  std::memcpy(box.name.data(), head.data() + 4, 4);
  std::uint64_t bytes = big_endian(std::span(head).first(4));
  if (bytes == 1 && got == head.size()) {
    bytes = big_endian(std::span(head).last(8));
    box.header = 16;
  }
  if (bytes >= box.header && bytes <= file.size() - place) box.bytes = bytes;
  return box;
}

bool has_fragments(const File& file, std::uint64_t begin, std::uint64_t end) {
  while (begin < end) {
    const Box box = box_at(file, begin);
    if (box.bytes == 0) return false;
    if (box.type() == "mvex") return true;
    begin += box.bytes;
  }
  return false;
}

// RFC 8794, section 4: as many leading zeros as bytes follow; all ones: unknown.
struct VariableSize {
  std::uint64_t value = 0;
  std::size_t bytes = 0;  // 0: it is none
  bool known = false;
};

VariableSize variable_size(std::span<const unsigned char> bytes) {
  VariableSize size;
  if (bytes.empty() || bytes[0] == 0) return size;
  const auto length = static_cast<std::size_t>(std::countl_zero(bytes[0])) + 1;
  if (length > bytes.size()) return size;
  const std::uint64_t mask = (std::uint64_t{1} << (7 * length)) - 1;
  size.value = big_endian(bytes.first(length)) & mask;
  size.bytes = length;
  size.known = size.value != mask;
  return size;
}

// The segment, which all is in, gets its length last.
bool matroska_is_finished(const File& file) {
  std::array<unsigned char, 12> head{};
  if (file.read(0, head) < head.size()) return false;
  const VariableSize ebml = variable_size(std::span(head).subspan(4));
  const std::uint64_t segment = 4 + ebml.bytes + ebml.value;
  if (!ebml.known || file.read(segment, head) < head.size()) return false;
  const VariableSize size = variable_size(std::span(head).subspan(4));
  return size.known && segment + 4 + size.bytes + size.value <= file.size();
}

// ISO/IEC 14496-12: fragments have their index last ("mfra").
bool mp4_is_finished(const File& file) {
  bool whole = false;
  bool fragmented = false;
  std::uint64_t place = 0;
  while (place < file.size()) {
    const Box box = box_at(file, place);
    if (box.bytes == 0) return false;
    if (box.type() == "moov") {
      whole = true;
      fragmented = has_fragments(file, place + box.header, place + box.bytes);
    }
    if (box.type() == "mfra") fragmented = false;
    place += box.bytes;
  }
  return whole && !fragmented;
}

// RFC 9559, section 5.1: pictures and sound are in clusters.
bool matroska_has_no_cluster(const File& file) {
  constexpr std::array<unsigned char, 4> kCluster{0x1F, 0x43, 0xB6, 0x75};
  std::array<unsigned char, 12> head{};
  if (file.read(0, head) < head.size()) return false;
  const VariableSize ebml = variable_size(std::span(head).subspan(4));
  std::uint64_t place = 4 + ebml.bytes + ebml.value;
  if (!ebml.known || file.read(place, head) < head.size()) return false;
  const VariableSize segment = variable_size(std::span(head).subspan(4));
  if (segment.bytes == 0) return false;
  for (place += 4 + segment.bytes; place < file.size();) {
    const std::size_t got = file.read(place, head);
    if (std::memcmp(head.data(), kCluster.data(), kCluster.size()) == 0) return false;
    const VariableSize id = variable_size(std::span(head).first(got));
    if (id.bytes == 0 || id.bytes > 4 || id.bytes >= got) return false;
    const VariableSize size = variable_size(std::span(head).first(got).subspan(id.bytes));
    if (!size.known) return false;
    place += id.bytes + size.bytes + size.value;
  }
  return place == file.size();
}

bool mp4_has_no_media(const File& file) {
  std::uint64_t place = 0;
  while (place < file.size()) {
    const Box box = box_at(file, place);
    if (box.bytes == 0 || box.type() == "moof" || box.type() == "mdat") return false;
    place += box.bytes;
  }
  return place != 0;
}

}  // namespace

Container container_of(const std::string& path) {
  const File file(path);
  std::array<unsigned char, 8> head{};
  const std::size_t got = file.read(0, head);
  static constexpr std::array<unsigned char, 4> kEbml{0x1A, 0x45, 0xDF, 0xA3};
  if (got >= 4 && std::memcmp(head.data(), kEbml.data(), 4) == 0) return Container::matroska;
  if (got == 8 && std::memcmp(head.data() + 4, "ftyp", 4) == 0) return Container::mp4;
  throw reel::Error(reel::ErrorCode::protocol,
                    file.size() == 0
                        ? "the file is empty: nothing was written to it"
                        : "the file is neither Matroska nor MP4: it does not begin as either does",
                    path);
}

bool is_finished(const std::string& path, Container container) {
  const File file(path);
  return container == Container::matroska ? matroska_is_finished(file) : mp4_is_finished(file);
}

bool is_header_alone(const std::string& path, Container container) {
  const File file(path);
  return container == Container::matroska ? matroska_has_no_cluster(file) : mp4_has_no_media(file);
}

}  // namespace record
