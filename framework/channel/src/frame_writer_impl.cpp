#include "frame_writer_wait.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <reel/base/checksum.hpp>
#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/channel/runtime_dir.hpp>

#include "record_codec.hpp"

namespace reel {
namespace {

// First guesses where frames vary in size; a larger one makes the memory grow.
constexpr std::uint64_t kAudioSlotBytes = 64 * 1024;
constexpr std::uint64_t kEncodedSlotBytes = 512 * 1024;
constexpr std::uint64_t kLeastSlotBytes = 4096;

// A counter that this thread alone writes: a locked addition would hold up the frame.
void add(std::atomic<std::uint64_t>& counter, std::uint64_t more) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
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
  if (options.wait_for.size() > kMaxReaders)
    reject(fmt::format("wait_for names {} readers: a stream has {} at most", options.wait_for.size(),
                       kMaxReaders));
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
  if (needed > options_.max_bytes) {
    StreamRequest least = request;
    least.slots = options_.history + options_.loans + 1;
    const bool fewer_would_do = stream_memory_bytes(least) <= options_.max_bytes;
    throw Error(ErrorCode::no_memory,
                fmt::format("{} slots for frames of {} need {}, more than max_bytes allows ({}): raise "
                            "max_bytes{}",
                            request.slots, bytes_text(slot_bytes), bytes_text(needed),
                            bytes_text(options_.max_bytes), fewer_would_do ? " or lower slots" : ""),
                stream_);
  }
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

void FrameWriter::Impl::reserve_loans(std::uint32_t loans) {
  if (loans <= options_.loans) return;
  const std::uint64_t slots = std::uint64_t{options_.slots} + loans - options_.loans;
  if (slots > kMaxSlots)
    throw Error(ErrorCode::no_memory,
                fmt::format("{} loans would make {} slots: a stream has {} at most", loans, slots, kMaxSlots),
                stream_);
  add_slots(static_cast<std::uint32_t>(slots));
  options_.loans = loans;
  server_.set_loans(loans);
}

void FrameWriter::Impl::add_slots(std::uint32_t slots) {
  const std::uint32_t before = std::exchange(options_.slots, slots);
  try {
    if (epoch_) make_memory(epoch_->view().geometry.slot_bytes);
  } catch (...) {
    options_.slots = before;
    throw;
  }
}

// Where one reader comes others may: room for half as many more, if there is room for it.
void FrameWriter::Impl::add_slots_roomily(std::uint32_t slots) {
  try {
    add_slots(std::min(kMaxSlots, slots + slots / 2));
  } catch (const Error&) {
    add_slots(slots);
  }
}

void FrameWriter::Impl::grow_for_readers() noexcept {
  std::string why;
  try {
    const std::uint32_t wanted = server_.wanted_slots();
    if (wanted > options_.slots) add_slots_roomily(wanted);
  } catch (const std::exception& error) {
    why = error.what();
  }
  server_.settle_parked(why);
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

WriteStatus FrameWriter::Impl::refuse_after_end() noexcept {
  return refuse(WriteStatus::bad_argument, "the stream was ended: nothing can be published after it");
}

// Loans that other threads wait for will be open, too.
WriteStatus FrameWriter::Impl::check_loans() noexcept {
  if (ended_) return refuse_after_end();
  if (*open_loans_ + awaited_loans_ >= options_.loans)
    return refuse(WriteStatus::bad_argument,
                  fmt::format("{} loans are open, loans allows {}: publish or release one, or raise loans",
                              *open_loans_ + awaited_loans_, options_.loans));
  return WriteStatus::ok;
}

WriteStatus FrameWriter::Impl::acquire(Loan& loan, std::size_t bytes, int timeout_ms) noexcept {
  if (const WriteStatus status = check_loans(); status != WriteStatus::ok) return status;
  Sleeper sleeper(timeout_ms, interrupted_);
  return lend(loan, bytes, sleeper);
}

WriteStatus FrameWriter::Impl::acquire(Loan& loan, std::size_t bytes, const SharedWait& wait) noexcept {
  if (const WriteStatus status = check_loans(); status != WriteStatus::ok) return status;
  Sleeper sleeper(wait, interrupted_);
  ++awaited_loans_;
  const WriteStatus status = lend(loan, bytes, sleeper);
  --awaited_loans_;
  return status;
}

WriteStatus FrameWriter::Impl::lend(Loan& loan, std::size_t bytes, Sleeper& sleeper) noexcept {
  if (server_.wanted_slots() != 0 && epoch_) grow_for_readers();
  if (bytes == 0) bytes = layout_.bytes;
  if (const WriteStatus status = ensure_capacity(bytes); status != WriteStatus::ok) return status;
  std::uint32_t slot = 0;
  if (const WriteStatus status = wait_for_slot(slot, sleeper); status != WriteStatus::ok) return status;
  if (epoch_->ring().take_hostile()) server_.drop_hostile();
  const StreamView& view = epoch_->view();
  epoch_->lend();
  loan.held_ = {epoch_, slot};
  loan.payload_ = view.slot_payload(slot);
  loan.capacity_ = view.geometry.slot_bytes;
  loan.size_ = bytes;
  loan.hashed_ = false;
  loan.copied_ = false;
  loan.side_data_ = SideDataWriter({view.slot_side_data(slot), view.geometry.side_data_bytes});
  fit_format(loan);
  return WriteStatus::ok;
}

void FrameWriter::Impl::fit_format(Loan& loan) const noexcept {
  static const Format kNoFormat;
  loan.format_id_ = format_id_;
  loan.format_ = format_id_ != 0 ? &epoch_->format(format_id_) : &kNoFormat;
  loan.layout_ = layout_;
  loan.default_layout_ = true;
}

void FrameWriter::Impl::reformat(Loan& loan) noexcept {
  if (loan && loan.format_ != (format_id_ != 0 ? &epoch_->format(format_id_) : nullptr)) fit_format(loan);
}

WriteStatus FrameWriter::Impl::publish(Loan& loan, const FrameInfo& info, bool keep,
                                       const SharedWait* wait) noexcept {
  if (!loan) return refuse(WriteStatus::bad_argument, "an empty loan cannot be published");
  if (ended_) return refuse_after_end();
  const bool planes = info.kind == FrameKind::media && loan.layout_.plane_count != 0;
  const bool holds_default = loan.default_layout_ && loan.size_ >= loan.layout_.bytes;
  if (planes && !holds_default && !layout_fits(loan.format(), loan.layout_, loan.size_))
    return refuse(
        WriteStatus::bad_argument,
        fmt::format("a frame of {} bytes does not hold its {} planes, which end at byte {}, of \"{}\"",
                    loan.size_, loan.layout_.plane_count, loan.layout_.bytes, loan.format().caps()));
  // First: for readers that come meanwhile the memory may grow.
  if (wait == nullptr)
    (void)wait_for_readers();
  else if (!wait_for_readers(*wait) && !waited_for_readers_)
    return WriteStatus::interrupted;
  if (ended_) return refuse_after_end();  // by another thread, while this one waited
  if (loan.held_.epoch() != epoch_.get()) {
    const WriteStatus status = rescue(loan, info, wait);
    if (status != WriteStatus::interrupted && status != WriteStatus::bad_argument) loan.hand_over(keep);
    return status;
  }
  WriterTrace* const trace = tracing();
  const std::int64_t begin_ns = trace != nullptr ? monotonic_ns() : 0;
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
  add(published_, 1);
  add(bytes_, loan.size_);
  if (loan.copied_) add(copied_, 1);
  const std::int64_t publish_ns = epoch_->publish(loan.held_.slot(), request, keep, server_);
  if (!keep) loan.held_.forget();
  loan.hand_over(keep);
  if (trace != nullptr)
    trace->published({begin_ns, monotonic_ns(), epoch_->ring().next_sequence() - 1, publish_ns, info.pts_ns});
  return WriteStatus::ok;
}

// A loan of memory that the stream has left: its frame moves over. Counted as a copy; the slot it moves to is
// no further loan.
WriteStatus FrameWriter::Impl::rescue(const Loan& loan, const FrameInfo& info,
                                      const SharedWait* wait) noexcept {
  Loan fresh;
  Sleeper sleeper = wait != nullptr ? Sleeper(*wait, interrupted_) : Sleeper(kForever, interrupted_);
  if (const WriteStatus status = lend(fresh, loan.size_, sleeper); status != WriteStatus::ok) return status;
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
  return publish(fresh, info, false, wait);
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
  return publish(loan, info, false, nullptr);
}

void FrameWriter::Impl::end() noexcept {
  if (std::exchange(ended_, true) || !epoch_) return;
  epoch_->ring().end(server_);
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
