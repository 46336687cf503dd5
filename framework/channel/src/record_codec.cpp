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

// One private copy: what is checked is what is read.
template <typename Record>
std::unique_ptr<Record> copy_checked(const Record& shared) {
  auto copy = std::make_unique<Record>();
  std::memcpy(static_cast<void*>(copy.get()), static_cast<const void*>(&shared), sizeof(Record));
  return checksum_of(*copy) == copy->checksum ? std::move(copy) : nullptr;
}

Format with_codec_data(Format format, std::span<const std::byte> codec_data, std::string caps) {
  if (format.encoded() == nullptr || codec_data.empty()) return format;
  EncodedFormat encoded = *format.encoded();
  encoded.codec_data.assign(codec_data.begin(), codec_data.end());
  return {Format(std::move(encoded)), std::move(caps)};
}

}  // namespace

void write_record(const Format& format, FormatRecord& record) {
  const std::string caps = format.caps();
  check_size("the caps text", caps.size(), record.caps.size());
  record = FormatRecord{};
  record.kind = static_cast<std::uint32_t>(format.kind());
  record.caps_bytes = static_cast<std::uint32_t>(caps.size());
  caps.copy(record.caps.data(), record.caps.size());
  if (const EncodedFormat* encoded = format.encoded()) {
    check_size("the codec data", encoded->codec_data.size(), record.codec_data.size());
    record.codec_data_bytes = static_cast<std::uint32_t>(encoded->codec_data.size());
    std::copy(encoded->codec_data.begin(), encoded->codec_data.end(), record.codec_data.begin());
  }
  record.checksum = checksum_of(record);
}

void write_record(const Segment& segment, SegmentRecord& record) {
  if (segment.rate == 0 || !std::isfinite(segment.rate))
    throw Error(ErrorCode::bad_argument,
                fmt::format("a segment's rate is {}: it must be finite and not 0", segment.rate));
  record = SegmentRecord{};
  record.rate = segment.rate;
  record.start_ns = segment.start_ns;
  record.stop_ns = segment.stop_ns;
  record.time_ns = segment.time_ns;
  record.base_ns = segment.base_ns;
  record.monotonic_offset_ns = segment.monotonic_offset_ns;
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
      record->codec_data_bytes > record->codec_data.size())
    return std::nullopt;
  try {
    const std::string caps(record->caps.data(), record->caps_bytes);
    return with_codec_data(Format::from_caps(caps),
                           std::span(record->codec_data).first(record->codec_data_bytes), caps);
  } catch (const Error&) {  // caps text that is none
    return std::nullopt;
  }
}

std::optional<Segment> read_record(const SegmentRecord& shared) {
  const auto record = copy_checked(shared);
  if (!record || record->rate == 0 || !std::isfinite(record->rate)) return std::nullopt;
  return Segment{record->rate,    record->start_ns, record->stop_ns,
                 record->time_ns, record->base_ns,  record->monotonic_offset_ns};
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
