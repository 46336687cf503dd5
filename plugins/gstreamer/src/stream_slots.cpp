#include <algorithm>
#include <exception>
#include <utility>

#include <reel/gst/stream_slots.hpp>
#include <reel/gst/video_layout.hpp>

#include "slot_memory.hpp"

namespace reel::gst {
namespace {

// Loans of a pool that nobody said anything about: a picture being filled, one on its way, one shown last.
constexpr std::uint32_t kFewBuffers = 3;

}  // namespace

WriteStatus StreamSlots::publish_plainly(FrameWriter& writer, Loan& loan, const FrameInfo& info, bool keep,
                                         const SharedWait& wait) {
  return keep ? writer.publish_and_keep(loan, info, wait) : writer.publish(std::move(loan), info, wait);
}

StreamSlots::StreamSlots(std::shared_ptr<FrameWriter> writer, std::uint32_t loans, Publish publish)
    : publish_(std::move(publish)), writer_(std::move(writer)), loans_(loans) {}

void StreamSlots::set_format(const Format& format) {
  const std::lock_guard lock(mutex_);
  next_format_ = format;
}

void StreamSlots::set_first_format(const Format& format) {
  const std::lock_guard lock(mutex_);
  if (!opened_) next_format_ = format;
}

void StreamSlots::apply_format() {
  opened_ = true;
  if (!next_format_) return;
  writer_->set_format(*next_format_);
  last_format_ = std::exchange(next_format_, std::nullopt);
}

void StreamSlots::reserve(std::uint64_t bytes, std::uint32_t buffers) noexcept {
  const std::lock_guard lock(mutex_);
  if (!writer_) return;
  may_grow_ = true;
  // Whoever asks says the least it needs; the limits are met, and told of, when slots are asked for.
  try {
    writer_->reserve(bytes);
    const std::uint32_t wanted = std::clamp(buffers, kFewBuffers, kMaxSlots) + kSpareLoans;
    if (wanted > loans_) {
      writer_->reserve_loans(wanted);
      loans_ = wanted;
    }
  } catch (const std::exception&) {
    return;
  }
}

void StreamSlots::open() {
  const std::lock_guard lock(mutex_);
  apply_format();
}

// As far as it goes: copies are made of the slots that are filled at the time, so rather once by much.
bool StreamSlots::grow() noexcept {
  for (std::uint32_t more = may_grow_ ? loans_ : 0; more != 0; more /= 2) {
    try {
      writer_->reserve_loans(loans_ + more);
      loans_ += more;
      ++counts_.growths;
      return true;
    } catch (const std::exception&) {
      continue;
    }
  }
  may_grow_ = false;
  return false;
}

WriteStatus StreamSlots::lend(Loan& loan, std::size_t bytes, const Stop& stopped,
                              std::unique_lock<std::mutex>& lock) {
  for (;;) {
    settled_.wait(lock, [this] { return !restarting_; });
    if (closed() || (stopped && stopped())) return WriteStatus::interrupted;
    if (!opened_) apply_format();
    if (lent_ + kSpareLoans > loans_ && !grow()) return WriteStatus::no_memory;
    if (!stopped) return writer_->acquire(loan, bytes, 0);
    const auto present = writer_;
    const auto stop = [&] { return writer_ != present || closed() || stopped(); };
    ++waiting_;
    const WriteStatus status = present->acquire(loan, bytes, SharedWait{lock, stop});
    if (--waiting_ == 0) settled_.notify_all();
    if (status != WriteStatus::interrupted) return status;
  }
}

GstMemory* StreamSlots::lend(std::size_t bytes, const Stop& stopped) noexcept {
  std::unique_lock lock(mutex_);
  ++lent_;
  try {
    Loan loan;
    const WriteStatus status = lend(loan, bytes, stopped, lock);
    if (status == WriteStatus::ok) {
      lock.unlock();
      return wrap_slot(std::make_shared<Slot>(shared_from_this(), std::move(loan)));
    }
    if (status != WriteStatus::interrupted && status != WriteStatus::timeout) ++counts_.heap;
  } catch (const std::exception&) {
    if (!lock.owns_lock()) lock.lock();
    ++counts_.heap;
  }
  --lent_;
  return nullptr;
}

void StreamSlots::wake() noexcept {
  look([](FrameWriter& writer) { writer.wake(); });
}

void StreamSlots::refuse(bool on) noexcept {
  refusing_.store(on, std::memory_order_release);
  wake();
}

void StreamSlots::take_back(Loan& loan) noexcept {
  const std::lock_guard lock(mutex_);
  loan.cancel();
  --lent_;
  if (writer_ && waiting_ != 0) writer_->wake();
}

std::optional<SlotPart> StreamSlots::find(GstBuffer* buffer) const noexcept {
  if (gst_buffer_n_memory(buffer) != 1) return std::nullopt;
  GstMemory* const memory = gst_buffer_peek_memory(buffer, 0);
  Slot* const slot = slot_of(memory);
  if (slot == nullptr || slot->slots.get() != this || slot->published.load(std::memory_order_acquire))
    return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (!writer_ || !writer_->has(slot->loan))
    return std::nullopt;  // a copy waits for its slot without the lock
  return SlotPart{memory, slot, memory->offset, memory->size};
}

WriteStatus StreamSlots::publish(const SlotPart& part, const VideoLayout* layout, const FrameInfo& info,
                                 const AddSideData& add_side_data) {
  Slot& slot = *part.slot;
  {
    const std::lock_guard lock(mutex_);
    apply_format();
    writer_->reformat(slot.loan);
  }
  const bool fits = layout != nullptr ? slot.loan.set_layout(*layout)
                                      : slot.loan.set_layout({}) && slot.loan.set_size(part.bytes);
  if (!fits) return WriteStatus::bad_argument;
  if (slot.loan.side_data().size() == 0)  // else interrupted before
    add_side_data(slot.loan.format(), slot.loan.side_data());
  slot.published.store(true, std::memory_order_release);
  GST_MINI_OBJECT_FLAG_SET(part.memory, GST_MINI_OBJECT_FLAG_LOCK_READONLY);
  slot.loan.seal();  // the long part, while others have the writer
  std::unique_lock lock(mutex_);
  const auto present = writer_;
  const std::uint64_t copied = present->stats().copied;  // more when its memory was left meanwhile
  const WriteStatus status = publish_sharing(lock, slot.loan, info, true);
  if (status == WriteStatus::ok) ++(present->stats().copied == copied ? counts_.in_place : counts_.copied);
  if (status == WriteStatus::interrupted) {  // to be published again
    GST_MINI_OBJECT_FLAG_UNSET(part.memory, GST_MINI_OBJECT_FLAG_LOCK_READONLY);
    slot.published.store(false, std::memory_order_release);
  }
  return status;
}

WriteStatus StreamSlots::acquire(Loan& loan, std::size_t bytes) noexcept {
  try {
    std::unique_lock lock(mutex_);
    apply_format();
    ++waiting_;
    const WriteStatus status = writer_->acquire(loan, bytes, SharedWait{lock, {}});
    if (--waiting_ == 0) settled_.notify_all();
    return status;
  } catch (const std::exception& error) {
    const std::lock_guard lock(mutex_);
    error_ = error.what();
    return WriteStatus::no_memory;
  }
}

WriteStatus StreamSlots::publish_sharing(std::unique_lock<std::mutex>& lock, Loan& loan,
                                         const FrameInfo& info, bool keep) {
  struct Waiting {
    StreamSlots& slots;
    explicit Waiting(StreamSlots& all) : slots(all) { ++slots.waiting_; }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() {
      if (--slots.waiting_ == 0) slots.settled_.notify_all();
    }
  } const waiting(*this);  // a Publish may throw
  return publish_(*writer_, loan, info, keep, SharedWait{lock, {}});
}

WriteStatus StreamSlots::publish(Loan&& loan, const FrameInfo& info) {
  std::unique_lock lock(mutex_);
  const WriteStatus status = publish_sharing(lock, loan, info, false);
  if (status == WriteStatus::ok && info.kind == FrameKind::media) ++counts_.copied;
  return status;
}

bool StreamSlots::wait_for_named_readers(std::vector<std::string>& missing) {
  std::unique_lock lock(mutex_);
  const auto present = writer_;
  ++waiting_;
  const bool there = present->wait_for_readers(SharedWait{lock, {}});
  if (--waiting_ == 0) settled_.notify_all();
  if (!there) missing = present->started_without();
  return there || !missing.empty() || !interrupted_.load(std::memory_order_acquire);
}

bool StreamSlots::wait_for_readers(std::uint32_t count) noexcept {
  std::unique_lock lock(mutex_);
  const auto present = writer_;
  ++waiting_;
  const bool there = present->wait_for_readers(count, SharedWait{lock, {}});
  if (--waiting_ == 0) settled_.notify_all();
  return there;
}

void StreamSlots::interrupt() noexcept {
  interrupted_.store(true, std::memory_order_release);
  look([](FrameWriter& writer) { writer.interrupt(); });
}

void StreamSlots::resume() noexcept {
  interrupted_.store(false, std::memory_order_release);
  look([](FrameWriter& writer) { writer.resume(); });
}

std::string StreamSlots::error() const {
  const std::lock_guard lock(mutex_);
  return writer_ && error_.empty() ? writer_->error() : error_;
}

// Not before nobody is in a call of it: who sleeps in one has let the lock go.
void StreamSlots::let_writer_go(std::unique_lock<std::mutex>& lock) noexcept {
  std::shared_ptr<FrameWriter> last;
  {
    const std::lock_guard place(place_mutex_);
    last = std::exchange(writer_, nullptr);
  }
  if (!last) return;
  last->wake();
  settled_.wait(lock, [this] { return waiting_ == 0; });
}

void StreamSlots::restart(const std::function<std::shared_ptr<FrameWriter>()>& make, std::uint32_t loans) {
  std::unique_lock lock(mutex_);
  restarting_ = true;
  let_writer_go(lock);
  try {
    auto made = make();
    if (opened_ && !next_format_ && last_format_) next_format_ = last_format_;
    opened_ = false;
    loans_ = loans;
    may_grow_ = true;
    if (interrupted_.load(std::memory_order_acquire)) made->interrupt();
    const std::lock_guard place(place_mutex_);
    writer_ = std::move(made);
  } catch (...) {
    restarting_ = false;
    settled_.notify_all();
    throw;
  }
  restarting_ = false;
  settled_.notify_all();
}

void StreamSlots::close() noexcept {
  std::unique_lock lock(mutex_);
  let_writer_go(lock);
}

SlotCounts StreamSlots::counts() const noexcept {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::optional<PlacedPicture> placed_picture(const StreamSlots& slots, GstBuffer* buffer,
                                            const GstVideoInfo& info, const VideoFormat& format) {
  const auto part = slots.find(buffer);
  if (!part) return std::nullopt;
  const auto run = find_plane_run(buffer, info, format);
  if (!run) return std::nullopt;
  PlacedPicture placed{*part, run->layout};
  const std::uint64_t begin = part->offset_bytes + run->begin_bytes;
  for (std::uint32_t plane = 0; plane < placed.layout.plane_count; ++plane)
    placed.layout.planes[plane].offset_bytes += begin;
  placed.layout.bytes += begin;
  return placed;
}

}  // namespace reel::gst
