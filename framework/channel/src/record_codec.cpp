#include "record_codec.hpp"

#include <cmath>
#include <cstring>
#include <memory>
#include <span>

#include <fmt/format.h>
#include <reel/base/checksum.hpp>
#include <reel/base/error.hpp>

namespace reel {
namespace {

template <typename Record>
std::uint64_t checksum_of(const Record& record) {
  return checksum(std::as_bytes(std::span(&record, 1)).subspan(sizeof record.checksum));
}

void check_size(std::string_view what, std::size_t bytes, std::size_t limit) {
  if (bytes > limit)
    throw Error(ErrorCode::bad_argument,
                fmt::format("{} of {} bytes is longer than the limit of {}", what, bytes, limit));
}

bool plays(double rate) {
  return rate != 0 && std::isfinite(rate);
}

// One private copy: what is checked is what is read.
template <typename Record>
std::unique_ptr<Record> copy_checked(const Record& shared) {
  auto copy = std::make_unique<Record>();
  std::memcpy(static_cast<void*>(copy.get()), static_cast<const void*>(&shared), sizeof(Record));
  return checksum_of(*copy) == copy->checksum ? std::move(copy) : nullptr;
}

// Codec data, then each stream header behind its size.
std::vector<std::byte> pack(std::span<const std::byte> codec_data, const StreamHeaders& headers) {
  std::vector<std::byte> packed(codec_data.begin(), codec_data.end());
  for (const std::vector<std::byte>& header : headers) {
    const auto size = static_cast<std::uint32_t>(header.size());
    const auto size_bytes = std::as_bytes(std::span(&size, 1));
    packed.insert(packed.end(), size_bytes.begin(), size_bytes.end());
    packed.insert(packed.end(), header.begin(), header.end());
  }
  return packed;
}

// nullopt when a size does not fit its place.
std::optional<StreamHeaders> unpack_headers(std::span<const std::byte> packed) {
  StreamHeaders headers;
  while (!packed.empty()) {
    std::uint32_t size = 0;
    if (packed.size() < sizeof size) return std::nullopt;
    std::memcpy(&size, packed.data(), sizeof size);
    packed = packed.subspan(sizeof size);
    if (size > packed.size()) return std::nullopt;
    headers.emplace_back(packed.begin(), packed.begin() + size);
    packed = packed.subspan(size);
  }
  return headers;
}

}  // namespace

void write_record(const Format& format, FormatRecord& record) {
  const std::string caps = format.caps();
  check_size("the caps text", caps.size(), record.caps.size());
  record = FormatRecord{};
  record.kind = static_cast<std::uint32_t>(format.kind());
  record.caps_bytes = static_cast<std::uint32_t>(caps.size());
  caps.copy(record.caps.data(), record.caps.size());
  const std::vector<std::byte> packed = pack(format.codec_data(), format.stream_headers());
  check_size(format.stream_headers().empty() ? "the codec data" : "the codec data and stream headers",
             packed.size(), record.codec_data.size());
  record.codec_data_bytes = static_cast<std::uint32_t>(format.codec_data().size());
  record.headers_bytes = static_cast<std::uint32_t>(packed.size() - format.codec_data().size());
  std::copy(packed.begin(), packed.end(), record.codec_data.begin());
  record.checksum = checksum_of(record);
}

void write_record(const Segment& segment, SegmentRecord& record) {
  if (!plays(segment.rate) || !plays(segment.applied_rate))
    throw Error(ErrorCode::bad_argument,
                fmt::format("a segment's rate is {}, its applied rate {}: both must be finite and not 0",
                            segment.rate, segment.applied_rate));
  record = SegmentRecord{};
  record.rate = segment.rate;
  record.start_ns = segment.start_ns;
  record.stop_ns = segment.stop_ns;
  record.time_ns = segment.time_ns;
  record.base_ns = segment.base_ns;
  record.monotonic_offset_ns = segment.monotonic_offset_ns;
  record.applied_rate = segment.applied_rate;
  record.checksum = checksum_of(record);
}

void write_record(const Tags& tags, TagsRecord& record) {
  check_size("the tags", tags.size(), record.text.size());
  record = TagsRecord{};
  record.bytes = static_cast<std::uint32_t>(tags.size());
  tags.copy(record.text.data(), record.text.size());
  record.checksum = checksum_of(record);
}

std::optional<Format> read_record(const FormatRecord& shared) {
  const auto record = copy_checked(shared);
  if (!record || record->caps_bytes > record->caps.size() ||
      record->codec_data_bytes > record->codec_data.size() ||
      record->headers_bytes > record->codec_data.size() - record->codec_data_bytes)
    return std::nullopt;
  try {
    const std::string caps(record->caps.data(), record->caps_bytes);
    const auto packed = std::span<const std::byte>(record->codec_data)
                            .first(record->codec_data_bytes + record->headers_bytes);
    const auto codec_data = packed.first(record->codec_data_bytes);
    auto headers = unpack_headers(packed.subspan(codec_data.size()));
    if (!headers) return std::nullopt;
    Format format = Format::from_caps(caps);
    if (!codec_data.empty()) {
      format = Format(std::move(format), caps);  // the text does not follow the codec data
      format.set_codec_data({codec_data.begin(), codec_data.end()});
    }
    format.set_stream_headers(std::move(*headers));
    return format;
  } catch (const Error&) {  // caps text that is none
    return std::nullopt;
  }
}

std::optional<Segment> read_record(const SegmentRecord& shared) {
  const auto record = copy_checked(shared);
  if (!record || !plays(record->rate) || !plays(record->applied_rate)) return std::nullopt;
  return Segment{record->rate,    record->applied_rate, record->start_ns,           record->stop_ns,
                 record->time_ns, record->base_ns,      record->monotonic_offset_ns};
}

std::optional<Tags> read_record(const TagsRecord& shared) {
  const auto record = copy_checked(shared);
  if (!record || record->bytes > record->text.size()) return std::nullopt;
  return Tags(record->text.data(), record->bytes);
}

std::optional<VideoLayout> layout_of(const SlotRecord& record, const Format& format) noexcept {
  const VideoFormat* video = format.video();
  if (video == nullptr || record.plane_count != plane_count(video->pixel)) return std::nullopt;
  auto offsets = record.plane_offset_bytes;
  auto strides = record.plane_stride_bytes;
  if (record.planes_listed == 0) {
    const VideoLayout layout = default_layout(*video);
    for (std::uint32_t plane = 0; plane < layout.plane_count; ++plane) {
      offsets[plane] = layout.planes[plane].offset_bytes;
      strides[plane] = layout.planes[plane].stride_bytes;
    }
  }
  return checked_layout(*video, offsets, strides, record.payload_bytes);
}

}  // namespace reel
