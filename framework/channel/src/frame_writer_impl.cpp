#include "frame_writer_impl.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <reel/base/checksum.hpp>
#include <reel/base/error.hpp>
#include <reel/base/futex.hpp>
#include <reel/base/log.hpp>
#include <reel/base/text.hpp>
#include <reel/channel/runtime_dir.hpp>

#include "record_codec.hpp"

namespace reel {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kNever = std::int64_t{1} << 62;
// First guesses where frames vary in size; a larger one makes the memory grow.
constexpr std::uint64_t kAudioSlotBytes = 64 * 1024;
constexpr std::uint64_t kEncodedSlotBytes = 512 * 1024;
constexpr std::uint64_t kLeastSlotBytes = 4096;

// A counter that this thread alone writes: a locked addition would hold up the frame.
void add(std::atomic<std::uint64_t>& counter, std::uint64_t more) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

std::int64_t deadline_of(int timeout_ms) {
  return timeout_ms < 0 ? kNever : monotonic_ns() + timeout_ms * kMillisecond;
}

WriterOptions checked(const std::string& stream, const WriterOptions& options) {
  check_stream_name(stream);
  const auto reject = [&](const std::string& message) {
    throw Error(ErrorCode::bad_argument, message, stream);
  };
  if (options.slots < kMinSlots || options.slots > kMaxSlots)
    reject(fmt::format("slots is {}: a stream has {} to {}", options.slots, kMinSlots, kMaxSlots));
  if (options.loans < 1) reject("loans is 0: a writer fills at least one slot at a time");
  if (std::uint64_t{options.history} + options.loans + 1 > options.slots)
    reject(fmt::format("slots is {}: {} history + {} loans + 1 spare need {}", options.slots, options.history,
                       options.loans, std::uint64_t{options.history} + options.loans + 1));
  if (options.side_data_bytes > kMaxSideDataBytes)
    reject(fmt::format("side_data_bytes is {}: at most 16 MiB", options.side_data_bytes));
  if (options.side_data_bytes % 8 != 0)
    reject(fmt::format("side_data_bytes is {}: it must be a multiple of 8", options.side_data_bytes));
  return options;
}

// Throws now what writing the record would throw later, when there is memory.
template <typename Record, typename Value>
void check_record(const Value& value) {
  const auto record = std::make_unique<Record>();
  write_record(value, *record);
}

// Every plane is one of the format's and lies within the payload.
bool layout_fits(const Format& format, const VideoLayout& layout, std::uint64_t payload_bytes) noexcept {
  const VideoFormat* video = format.video();
  if (video == nullptr || layout.plane_count != plane_count(video->pixel)) return false;
  std::array<std::uint64_t, kMaxPlanes> offsets{};
  std::array<std::uint32_t, kMaxPlanes> strides{};
  for (std::uint32_t i = 0; i < layout.plane_count; ++i) {
    offsets[i] = layout.planes[i].offset_bytes;
    strides[i] = layout.planes[i].stride_bytes;
  }
  return checked_layout(*video, offsets, strides, payload_bytes).has_value();
}

}  // namespace

FrameWriter::Impl::Impl(std::string stream, const WriterOptions& options)
    : stream_(std::move(stream)),
      options_(checked(stream_, options)),
      directory_(writable_runtime_dir()),
      name_lock_(directory_, stream_),
      server_(stream_, directory_, options_) {
  remove_leftovers(directory_, stream_);
}

FrameWriter::Impl::~Impl() = default;

std::uint64_t FrameWriter::Impl::slot_bytes_for(std::uint64_t frame_bytes) const {
  std::uint64_t bytes = std::max({frame_bytes, options_.slot_bytes, reserved_bytes_, kLeastSlotBytes});
  if (options_.slot_bytes != 0 || format_.video() != nullptr) return bytes;
  if (format_.audio() != nullptr) bytes = std::max(bytes, kAudioSlotBytes);
  if (format_.encoded() != nullptr) bytes = std::max(bytes, kEncodedSlotBytes);
  // Sizes vary: room for half as much again, so that growth ends after a few steps.
  return epoch_ && frame_bytes > epoch_->view().geometry.slot_bytes
             ? std::max(bytes, frame_bytes + frame_bytes / 2)
             : bytes;
}

StreamRequest FrameWriter::Impl::request_for(std::uint64_t slot_bytes, std::uint64_t first_sequence) {
  StreamRequest request;
  request.name = stream_;
  request.slots = options_.slots;
  request.slot_bytes = slot_bytes;
  request.side_data_bytes = options_.side_data_bytes;
  request.history = options_.history;
  request.live = options_.live;
  request.checksum = options_.checksum;
  request.memory = options_.memory;
  request.first_sequence = first_sequence;
  request.segment_name =
      options_.memory == SegmentKind::memfd
          ? "reel." + stream_
          : fmt::format("{}{}.{}", segment_prefix(directory_, stream_), ::getpid(), epochs_made_);
  return request;
}

void FrameWriter::Impl::make_memory(std::uint64_t slot_bytes) {
  const std::uint64_t first = epoch_ ? epoch_->ring().next_sequence() : kFirstSequence;
  const StreamRequest request = request_for(slot_bytes, first);
  const std::uint64_t needed = stream_memory_bytes(request);
  if (needed > options_.max_bytes)
    throw Error(ErrorCode::no_memory,
                fmt::format("{} slots for frames of {} need {}, more than max_bytes allows ({}): raise "
                            "max_bytes or lower slots",
                            request.slots, bytes_text(slot_bytes), bytes_text(needed),
                            bytes_text(options_.max_bytes)),
                stream_);
  auto next = std::make_shared<WriterEpoch>(request, open_loans_);
  ++epochs_made_;
  const auto before = std::exchange(epoch_, next);
  try {
    name_records();
    if (before)
      server_.move_to(next);
    else
      server_.open(next);
  } catch (...) {
    epoch_ = before;
    throw;
  }
}

void FrameWriter::Impl::name_records() {
  const auto known = [](std::optional<std::uint32_t> id) { return id.value(); };
  if (format_set_) format_id_ = known(epoch_->format_id(format_));
  if (segment_) segment_id_ = known(epoch_->segment_id(*segment_));
  if (tags_) tags_id_ = known(epoch_->tags_id(*tags_));
}

void FrameWriter::Impl::set_format(const Format& format) {
  if (format_set_ && format == format_) return;
  if (ended_)
    throw Error(ErrorCode::bad_argument, "the stream was ended: no other format can follow", stream_);
  VideoLayout layout;
  if (format.video() != nullptr) layout = default_layout(*format.video());
  const Format before = std::exchange(format_, format);
  const bool was_set = std::exchange(format_set_, true);
  try {
    const std::uint64_t wanted = slot_bytes_for(layout.bytes);
    if (!epoch_ || wanted > epoch_->view().geometry.slot_bytes) {
      make_memory(wanted);
    } else if (const auto id = epoch_->format_id(format_)) {
      format_id_ = *id;
    } else {
      make_memory(epoch_->view().geometry.slot_bytes);  // the table is full: a new epoch has an empty one
    }
  } catch (...) {
    format_ = before;
    format_set_ = was_set;
    throw;
  }
  layout_ = layout;
}

void FrameWriter::Impl::reserve(std::uint64_t bytes) {
  const std::uint64_t before = std::exchange(reserved_bytes_, std::max(reserved_bytes_, bytes));
  if (!epoch_ || bytes <= epoch_->view().geometry.slot_bytes) return;
  try {
    make_memory(slot_bytes_for(bytes));
  } catch (...) {
    reserved_bytes_ = before;
    throw;
  }
}

void FrameWriter::Impl::set_segment(const Segment& segment) {
  if (segment_ == segment) return;
  check_record<SegmentRecord>(segment);
  const auto before = std::exchange(segment_, segment);
  try {
    if (!epoch_) return;
    if (const auto id = epoch_->segment_id(segment))
      segment_id_ = *id;
    else
      make_memory(epoch_->view().geometry.slot_bytes);
  } catch (...) {
    segment_ = before;
    throw;
  }
}

void FrameWriter::Impl::set_tags(const Tags& tags) {
  if (tags_ == tags) return;
  check_record<TagsRecord>(tags);
  const auto before = std::exchange(tags_, tags);
  try {
    if (!epoch_) return;
    if (const auto id = epoch_->tags_id(tags))
      tags_id_ = *id;
    else
      make_memory(epoch_->view().geometry.slot_bytes);
  } catch (...) {
    tags_ = before;
    throw;
  }
}

WriteStatus FrameWriter::Impl::refuse(WriteStatus status, std::string message) noexcept {
  error_ = std::move(message);
  return status;
}

bool FrameWriter::Impl::wait_for_readers() noexcept {
  if (waited_for_readers_ || options_.wait_for.empty()) return true;
  waited_for_readers_ = true;
  const std::int64_t deadline_ns = deadline_of(options_.start_timeout_ms);
  try {
    for (;;) {
      const std::uint32_t before = server_.events().load(std::memory_order_acquire);
      const std::vector<std::string> missing = server_.missing_readers(options_.wait_for);
      if (missing.empty()) return true;
      if (interrupted_.load(std::memory_order_acquire)) return false;
      const std::int64_t left_ns = deadline_ns - monotonic_ns();
      if (left_ns <= 0) {
        log_warning(fmt::format("stream \"{}\": starts without {} after start_timeout ({} ms)", stream_,
                                fmt::join(missing, ", "), options_.start_timeout_ms));
        return false;
      }
      futex_wait(server_.events(), before, std::min(left_ns, server_.look_every_ns()), FutexScope::process);
    }
  } catch (const std::exception& error) {
    log_warning(error.what());
    return false;
  }
}

bool FrameWriter::Impl::wait_for_readers(std::uint32_t count) noexcept {
  for (;;) {
    const std::uint32_t before = server_.events().load(std::memory_order_acquire);
    if (server_.reader_count() >= count) return true;
    if (interrupted_.load(std::memory_order_acquire)) return false;
    futex_wait(server_.events(), before, kNever, FutexScope::process);
  }
}

WriteStatus FrameWriter::Impl::ensure_capacity(std::uint64_t bytes) noexcept {
  if (epoch_ && bytes <= epoch_->view().geometry.slot_bytes) return WriteStatus::ok;
  const auto over_limit = [this](std::uint64_t slot) {
    return stream_memory_bytes(request_for(slot, kFirstSequence)) > options_.max_bytes;
  };
  const bool over = over_limit(bytes);
  try {
    const std::uint64_t roomy = slot_bytes_for(bytes);
    make_memory(over_limit(roomy) ? bytes : roomy);
    return WriteStatus::ok;
  } catch (const Error& error) {
    return refuse(over ? WriteStatus::too_large : WriteStatus::no_memory, error.message());
  } catch (const std::exception& error) {
    return refuse(WriteStatus::no_memory, error.what());
  }
}

WriteStatus FrameWriter::Impl::acquire(Loan& loan, std::size_t bytes, int timeout_ms) noexcept {
  if (ended_)
    return refuse(WriteStatus::bad_argument, "the stream was ended: nothing can be published after it");
  if (*open_loans_ >= options_.loans)
    return refuse(WriteStatus::bad_argument,
                  fmt::format("{} loans are open, loans allows {}: publish or release one, or raise loans",
                              *open_loans_, options_.loans));
  return lend(loan, bytes, timeout_ms);
}

WriteStatus FrameWriter::Impl::lend(Loan& loan, std::size_t bytes, int timeout_ms) noexcept {
  if (bytes == 0) bytes = layout_.bytes;
  if (const WriteStatus status = ensure_capacity(bytes); status != WriteStatus::ok) return status;
  std::uint32_t slot = 0;
  if (const WriteStatus status = wait_for_slot(slot, timeout_ms); status != WriteStatus::ok) return status;
  if (epoch_->ring().take_hostile()) server_.drop_hostile();
  static const Format kNoFormat;
  const StreamView& view = epoch_->view();
  epoch_->lend();
  loan.held_ = {epoch_, slot};
  loan.payload_ = view.slot_payload(slot);
  loan.capacity_ = view.geometry.slot_bytes;
  loan.size_ = bytes;
  loan.format_id_ = format_id_;
  loan.format_ = format_id_ != 0 ? &epoch_->format(format_id_) : &kNoFormat;
  loan.layout_ = layout_;
  loan.default_layout_ = true;
  loan.hashed_ = false;
  loan.side_data_ = SideDataWriter({view.slot_side_data(slot), view.geometry.side_data_bytes});
  return WriteStatus::ok;
}

WriteStatus FrameWriter::Impl::wait_for_slot(std::uint32_t& slot, int timeout_ms) noexcept {
  RingWriter& ring = epoch_->ring();
  if (interrupted_.load(std::memory_order_acquire)) return WriteStatus::interrupted;
  if (const auto found = ring.acquire()) {
    slot = *found;
    return WriteStatus::ok;
  }
  waits_.fetch_add(1, std::memory_order_relaxed);
  epoch_->view().header->waits.fetch_add(1, std::memory_order_relaxed);
  ReaderMask counted = 0;                             // readers this wait was put down to
  std::array<std::uint64_t, kScanEntries> cursors{};  // where each blocker stood
  std::array<std::int64_t, kScanEntries> since_ns{};  // and since when
  const std::int64_t deadline_ns = deadline_of(timeout_ms);
  const std::int64_t stall_ns =
      options_.stall_timeout_ms > 0 ? options_.stall_timeout_ms * kMillisecond : kNever;
  for (;;) {
    const std::uint32_t before = server_.events().load(std::memory_order_acquire);
    ring.announce_wait(true);
    const auto found = ring.acquire();
    if (found) {
      ring.announce_wait(false);
      slot = *found;
      return WriteStatus::ok;
    }
    if (ring.take_hostile()) server_.drop_hostile();
    const std::int64_t now_ns = monotonic_ns();
    std::int64_t wake_ns = std::min(deadline_ns, server_.expire_absences(now_ns));
    ReaderMask stalled = 0;
    const std::optional<ReaderMask> found_blockers = ring.blockers();
    if (!found_blockers) wake_ns = now_ns;
    const ReaderMask blockers = found_blockers.value_or(0);
    for (ReaderMask rest = blockers; rest != 0; rest &= rest - 1) {
      const auto i = static_cast<std::uint32_t>(std::countr_zero(rest));
      if ((counted >> i & 1) == 0) ring.entry(i).waits.fetch_add(1, std::memory_order_relaxed);
      const std::uint64_t cursor = ring.cursor_of(i);
      // Only forward is progress: a cursor that moves to and fro would never be stalled.
      if ((counted >> i & 1) == 0 || cursor > cursors[i]) {
        cursors[i] = cursor;
        since_ns[i] = now_ns;
      }
      if (now_ns - since_ns[i] >= stall_ns)
        stalled |= ReaderMask{1} << i;
      else
        wake_ns = std::min(wake_ns, since_ns[i] + std::min(stall_ns, kNever - since_ns[i]));
    }
    counted |= blockers;
    // Pins are not demoted: a reader may hold what it was granted for as long as it likes.
    if (stalled != 0 && server_.demote(stalled)) continue;
    if (interrupted_.load(std::memory_order_acquire) || now_ns >= deadline_ns) {
      ring.announce_wait(false);
      return interrupted_.load(std::memory_order_acquire) ? WriteStatus::interrupted : timed_out(timeout_ms);
    }
    futex_wait(server_.events(), before, std::max<std::int64_t>(wake_ns - now_ns, 1), FutexScope::process);
  }
}

WriteStatus FrameWriter::Impl::timed_out(int timeout_ms) noexcept {
  try {
    return refuse(WriteStatus::timeout,
                  fmt::format("no slot came free within {} ms: {}", timeout_ms, server_.holders()));
  } catch (const std::exception& error) {
    return refuse(WriteStatus::timeout, "no slot came free");
  }
}

WriteStatus FrameWriter::Impl::publish(Loan& loan, const FrameInfo& info) noexcept {
  if (!loan) return refuse(WriteStatus::bad_argument, "an empty loan cannot be published");
  if (ended_)
    return refuse(WriteStatus::bad_argument, "the stream was ended: nothing can be published after it");
  const bool planes = info.kind == FrameKind::media && loan.layout_.plane_count != 0;
  const bool holds_default = loan.default_layout_ && loan.size_ >= loan.layout_.bytes;
  if (planes && !holds_default && !layout_fits(loan.format(), loan.layout_, loan.size_))
    return refuse(
        WriteStatus::bad_argument,
        fmt::format("a frame of {} bytes does not hold its {} planes, which end at byte {}, of \"{}\"",
                    loan.size_, loan.layout_.plane_count, loan.layout_.bytes, loan.format().caps()));
  if (loan.held_.epoch() != epoch_.get()) {
    const Loan old = std::move(loan);  // empty afterwards whatever comes of it
    return rescue(old, info);
  }
  if (!waited_for_readers_) (void)wait_for_readers();
  PublishRequest request;
  request.info = info;
  request.format_id = loan.format_id_;
  request.segment_id = segment_id_;
  request.tags_id = tags_id_;
  request.payload_bytes = loan.size_;
  request.side_data_bytes = loan.side_data_.size();
  const auto mode = static_cast<ChecksumMode>(epoch_->view().geometry.checksum_mode);
  request.payload_checksum =
      loan.hashed_ ? loan.payload_checksum_ : checksum({loan.payload_, loan.size_}, mode);
  if (request.side_data_bytes != 0) request.side_data_checksum = checksum(loan.side_data_.view().bytes());
  if (planes) {
    request.plane_count = loan.layout_.plane_count;
    if (!loan.default_layout_) request.planes = &loan.layout_;
  }
  epoch_->publish(loan.held_.slot(), request, server_);
  add(published_, 1);
  add(bytes_, loan.size_);
  if (loan.hashed_) add(copied_, 1);
  loan.held_.forget();
  return WriteStatus::ok;
}

// A loan of memory that the stream has left: its frame moves over. Counted as a copy; the slot it moves to is
// no further loan.
WriteStatus FrameWriter::Impl::rescue(const Loan& loan, const FrameInfo& info) noexcept {
  Loan fresh;
  if (const WriteStatus status = lend(fresh, loan.size_, kForever); status != WriteStatus::ok) return status;
  try {
    const auto id = epoch_->older_format_id(loan.format());
    if (loan.format_id_ != 0 && !id) return refuse(WriteStatus::too_large, "the table of formats is full");
    if (loan.format_id_ != 0) {
      fresh.format_id_ = *id;
      fresh.format_ = &epoch_->format(*id);
    }
  } catch (const std::exception& error) {
    return refuse(WriteStatus::too_large, error.what());
  }
  if (!fresh.copy_from({loan.payload_, loan.size_}) || !fresh.side_data_.add_all(loan.side_data_.view()))
    return refuse(WriteStatus::too_large, "the frame does not fit the stream's new memory");
  fresh.layout_ = loan.layout_;
  fresh.default_layout_ = loan.default_layout_;
  return publish(fresh, info);
}

WriteStatus FrameWriter::Impl::write(std::span<const std::byte> payload, const FrameInfo& info,
                                     const SideDataView& side_data, int timeout_ms) noexcept {
  Loan loan;
  if (const WriteStatus status = acquire(loan, payload.size(), timeout_ms); status != WriteStatus::ok)
    return status;
  if (!loan.copy_from(payload)) return refuse(WriteStatus::too_large, "the frame does not fit a slot");
  if (!loan.side_data_.add_all(side_data))
    return refuse(WriteStatus::too_large,
                  fmt::format("side data of {} bytes does not fit the {} bytes that side_data_bytes grants",
                              side_data.bytes().size(), loan.side_data_.capacity()));
  if (info.kind != FrameKind::media) loan.layout_ = VideoLayout{};
  return publish(loan, info);
}

void FrameWriter::Impl::end() noexcept {
  if (std::exchange(ended_, true) || !epoch_) return;
  epoch_->ring().end(server_);
}

bool FrameWriter::Impl::drain(int timeout_ms) noexcept {
  if (!epoch_) return true;
  const std::int64_t deadline_ns = deadline_of(timeout_ms);
  bool drained = false;
  epoch_->ring().announce_wait(true);  // so that whoever lets a frame go says so
  for (;;) {
    const std::uint32_t before = server_.events().load(std::memory_order_acquire);
    const std::int64_t now_ns = monotonic_ns();
    const std::int64_t wake_ns = std::min(deadline_ns, server_.expire_absences(now_ns));
    drained = !server_.owes_frames();
    if (drained || now_ns >= deadline_ns || interrupted_.load(std::memory_order_acquire)) break;
    futex_wait(server_.events(), before, wake_ns - now_ns, FutexScope::process);
  }
  epoch_->ring().announce_wait(false);
  return drained;
}

void FrameWriter::Impl::interrupt(bool on) noexcept {
  interrupted_.store(on, std::memory_order_release);
  if (on) server_.notify();
}

WriterStats FrameWriter::Impl::stats() const noexcept {
  WriterStats stats;
  stats.published = published_.load(std::memory_order_relaxed);
  stats.bytes = bytes_.load(std::memory_order_relaxed);
  stats.copied = copied_.load(std::memory_order_relaxed);
  stats.waits = waits_.load(std::memory_order_relaxed);
  stats.demoted = server_.demoted();
  stats.refused = server_.refused();
  stats.epochs = server_.epochs();
  return stats;
}

}  // namespace reel
