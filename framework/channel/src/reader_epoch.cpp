#include "reader_epoch.hpp"

#include <fmt/format.h>
#include <reel/base/error.hpp>
#include <reel/base/futex.hpp>

#include "record_codec.hpp"

namespace reel {
namespace {

ReaderPage& page_of(SharedSegment& segment) {
  return *reinterpret_cast<ReaderPage*>(segment.data());
}

SegmentKind checked_kind(std::uint32_t kind) {
  for (const SegmentKind known : segment_kinds()) {
    if (static_cast<std::uint32_t>(known) == kind) return known;
  }
  throw Error(ErrorCode::protocol,
              fmt::format("the writer's memory is of kind {}, which this program does not know", kind));
}

std::shared_ptr<SharedSegment> map_page(const WelcomeMessage& welcome, UniqueFd fd) {
  if (welcome.page_bytes != sizeof(ReaderPage))
    throw Error(ErrorCode::protocol,
                fmt::format("the writer announces a reader page of {} bytes, it must be {}",
                            welcome.page_bytes, sizeof(ReaderPage)));
  return segment_backend(SegmentKind::memfd).map(std::move(fd), welcome.page_bytes, true);
}

// Ids from 1; what is damaged stays unparsed and is tried again: a record is immutable once a frame names it.
template <typename Value, std::size_t size, typename Record>
const Value* cached(std::array<std::optional<Value>, size>& cache, const Record* records, std::uint32_t id) {
  if (id == 0 || id > size) return nullptr;
  std::optional<Value>& value = cache[id - 1];
  if (!value) value = read_record(records[id - 1]);
  return value ? &*value : nullptr;
}

}  // namespace

void ReaderConnection::mark_hung_up() noexcept {
  hung_up_.store(true, std::memory_order_release);
  wake();
}

void ReaderConnection::sleep_on(std::shared_ptr<SharedSegment> page) noexcept {
  const std::lock_guard lock(mutex_);
  page_ = std::move(page);
}

void ReaderConnection::wake() noexcept {
  const std::lock_guard lock(mutex_);
  if (!page_) return;
  ReaderPage& page = page_of(*page_);
  page.doorbell.fetch_add(1, std::memory_order_release);
  futex_wake(page.doorbell, FutexScope::shared);
}

ReaderEpoch::ReaderEpoch(const WelcomeMessage& welcome, ReceivedMessage& received,
                         std::shared_ptr<ReaderConnection> connection)
    : connection_(std::move(connection)),
      memory_(checked_kind(welcome.memory), std::move(received.fds[0]), welcome.control_bytes,
              std::move(received.fds[1]), welcome.payload_bytes),
      page_(map_page(welcome, std::move(received.fds[2]))),
      ring_(memory_.view(), page_of(*page_)) {
  if (memory_.view().geometry.epoch != welcome.epoch)
    throw Error(ErrorCode::protocol, "the writer announces another epoch than its control memory carries");
}

const Format* ReaderEpoch::format(std::uint32_t id) {
  return cached(formats_, view().formats, id);
}
const Segment* ReaderEpoch::segment(std::uint32_t id) {
  return cached(segments_, view().segments, id);
}
const Tags* ReaderEpoch::tags(std::uint32_t id) {
  return cached(tags_, view().tags, id);
}

void ReaderEpoch::release(std::uint32_t slot) noexcept {
  if (connection_->abandoned()) return;
  if (ring_.unpin(slot)) send_byte(connection_->socket());
}

}  // namespace reel
