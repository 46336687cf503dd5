#include "writer_epoch.hpp"

#include "record_codec.hpp"

namespace reel {
namespace {

template <typename Value, typename Record>
std::optional<std::uint32_t> id_of(std::deque<Value>& known, const Value& value, Record* records,
                                   std::uint32_t limit) {
  for (std::uint32_t i = 0; i < known.size(); ++i) {
    if (known[i] == value) return i + 1;
  }
  if (known.size() == limit) return std::nullopt;
  write_record(value, records[known.size()]);
  known.push_back(value);
  return static_cast<std::uint32_t>(known.size());
}

std::optional<std::uint32_t> make_newest(std::atomic<std::uint32_t>& newest,
                                         std::optional<std::uint32_t> id) noexcept {
  // Release: pairs with the acquire of readers that look before any frame.
  if (id) newest.store(*id, std::memory_order_release);
  return id;
}

}  // namespace

std::optional<std::uint32_t> WriterEpoch::format_id(const Format& format) {
  return make_newest(view().header->format_id, older_format_id(format));
}
std::optional<std::uint32_t> WriterEpoch::older_format_id(const Format& format) {
  return id_of(formats_, format, view().formats, kFormatRecords);
}
std::optional<std::uint32_t> WriterEpoch::segment_id(const Segment& segment) {
  return make_newest(view().header->segment_id, id_of(segments_, segment, view().segments, kSegmentRecords));
}
std::optional<std::uint32_t> WriterEpoch::tags_id(const Tags& tags) {
  return make_newest(view().header->tags_id, id_of(tags_, tags, view().tags, kTagsRecords));
}

}  // namespace reel
