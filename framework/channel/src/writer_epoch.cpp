#include "writer_epoch.hpp"

#include "record_codec.hpp"

namespace reel {
namespace {

template <typename Value, typename Record>
std::optional<std::uint32_t> id_of(std::deque<Value>& known, const Value& value, Record* records,
                                   std::uint32_t limit, std::atomic<std::uint32_t>& newest) {
  std::uint32_t id = 0;
  for (std::uint32_t i = 0; i < known.size() && id == 0; ++i) {
    if (known[i] == value) id = i + 1;
  }
  if (id == 0) {
    if (known.size() == limit) return std::nullopt;
    write_record(value, records[known.size()]);
    known.push_back(value);
    id = static_cast<std::uint32_t>(known.size());
  }
  newest.store(id,
               std::memory_order_release);  // pairs with the acquire of readers that look before any frame
  return id;
}

}  // namespace

std::optional<std::uint32_t> WriterEpoch::format_id(const Format& format) {
  return id_of(formats_, format, view().formats, kFormatRecords, view().header->format_id);
}
std::optional<std::uint32_t> WriterEpoch::segment_id(const Segment& segment) {
  return id_of(segments_, segment, view().segments, kSegmentRecords, view().header->segment_id);
}
std::optional<std::uint32_t> WriterEpoch::tags_id(const Tags& tags) {
  return id_of(tags_, tags, view().tags, kTagsRecords, view().header->tags_id);
}

}  // namespace reel
