// Records of control memory: the first byte says which, the rest is laid over it and given a checksum that
// fits. What is read of one stays inside it and can be written again.
#include "fuzz.hpp"
#include "record_codec.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <span>

#include <reel/base/checksum.hpp>

namespace {

using namespace reel;
using fuzz::require;

template <typename Record>
std::unique_ptr<Record> forged(const std::uint8_t* data, std::size_t size) {
  auto record = std::make_unique<Record>();
  const std::size_t room = sizeof(Record) - sizeof record->checksum;
  auto* bytes = reinterpret_cast<std::uint8_t*>(record.get());
  std::copy_n(data, std::min(size, room), bytes + sizeof record->checksum);
  record->checksum = checksum(std::as_bytes(std::span(record.get(), 1)).subspan(sizeof record->checksum));
  return record;
}

void check_format(const std::uint8_t* data, std::size_t size) {
  const auto format = read_record(*forged<FormatRecord>(data, size));
  if (!format) return;
  FormatRecord again{};
  write_record(*format, again);
  const auto same = read_record(again);
  require(same && same->caps() == format->caps(), "written and read again it is the same");
}

void check_segment(const std::uint8_t* data, std::size_t size) {
  const auto segment = read_record(*forged<SegmentRecord>(data, size));
  if (segment) require(std::isfinite(segment->rate) && segment->rate != 0, "a rate is one that plays");
}

void check_tags(const std::uint8_t* data, std::size_t size) {
  const auto tags = read_record(*forged<TagsRecord>(data, size));
  if (tags) require(tags->size() <= kMaxTagsBytes, "tags are bounded");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  switch (data[0] % 3) {
    case 0: check_format(data + 1, size - 1); break;
    case 1: check_segment(data + 1, size - 1); break;
    default: check_tags(data + 1, size - 1); break;
  }
  return 0;
}
