// Writes one stream. Data calls (acquire, publish, write, set_*, end, and dropping a loan) come from one
// thread at a time; interrupt(), wake(), stats() and readers() from any. Nothing a reader does can block or
// harm the writer beyond what its policy was granted.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <reel/channel/held_slot.hpp>
#include <reel/channel/options.hpp>
#include <reel/format/format.hpp>
#include <reel/format/frame_info.hpp>
#include <reel/format/records.hpp>
#include <reel/format/side_data.hpp>

namespace reel {

enum class WriteStatus {
  ok,
  timeout,       // readers that the writer waits for still hold every slot: error() names them
  too_large,     // the frame needs more than max_bytes allows, or its side data, format or tags exceed their
                 // bound: error()
  no_memory,     // growing failed: error() says what is missing
  bad_argument,  // a layout that does not fit the format or the payload, a frame after the end, one loan too
                 // many: error()
  interrupted    // interrupt() was called
};

[[nodiscard]] std::string_view to_string(WriteStatus status) noexcept;

class WriterEpoch;  // the memory of one life of a stream, seen by its writer
template <>
void HeldSlot<WriterEpoch>::release() noexcept;  // back to the free slots, or to its readers alone

struct PlaneView {
  std::byte* data = nullptr;
  std::uint32_t stride_bytes = 0;
  std::uint32_t row_bytes = 0;
  std::uint32_t rows = 0;
};

/// A slot lent for filling. Movable; dropped without being published it goes back. Must not outlive its
/// writer's process-local memory: it keeps that alive itself.
class Loan {
 public:
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(held_); }

  /// The payload to fill: the size asked of acquire(), set_size() or copy_from(). Warm, writable,
  /// page-aligned. Empty for an empty loan: what was published is its readers'.
  [[nodiscard]] std::span<std::byte> data() noexcept {
    hashed_ = false;  // whoever asks for it may write
    return held_ ? std::span(payload_, size_) : std::span<std::byte>();
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  /// False (and unchanged) above capacity().
  [[nodiscard]] bool set_size(std::size_t bytes) noexcept;

  /// Video: where its planes lie; the default layout unless set. Audio and others have no planes, nor has an
  /// empty loan.
  [[nodiscard]] PlaneView plane(std::uint32_t index) noexcept;
  [[nodiscard]] const VideoLayout& layout() const noexcept { return layout_; }
  /// For other strides and offsets; sets the size to the layout's. False when it does not fit.
  [[nodiscard]] bool set_layout(const VideoLayout& layout) noexcept;

  /// Copies and hashes in one pass; sets the size. False above capacity().
  [[nodiscard]] bool copy_from(std::span<const std::byte> payload) noexcept;

  /// Computes the checksum now, in this thread, which publish() would compute: for writers that several
  /// threads share. Nothing may be written afterwards.
  void seal() noexcept;

  [[nodiscard]] SideDataWriter& side_data() noexcept { return side_data_; }
  /// The format that was set when the slot was acquired; its frame is published with that.
  [[nodiscard]] const Format& format() const noexcept { return *format_; }

  /// Gives the slot back, unpublished or kept, as does dropping it. From the writer's thread.
  void cancel() noexcept { held_.release(); }

 private:
  friend class FrameWriter;
  void hand_over(bool keep) noexcept;  // its frame is its readers'

  HeldSlot<WriterEpoch> held_;
  std::byte* payload_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::uint32_t format_id_ = 0;
  bool hashed_ = false;
  bool copied_ = false;
  bool default_layout_ = true;  // layout_ is that of the format
  std::uint64_t payload_checksum_ = 0;
  const Format* format_ = nullptr;
  VideoLayout layout_;
  SideDataWriter side_data_;
};

struct WriterStats {
  std::uint64_t published = 0;
  std::uint64_t bytes = 0;    // of payload
  std::uint64_t copied = 0;   // frames that came by write() or copy_from()
  std::uint64_t waits = 0;    // times acquire had to wait for readers
  std::uint64_t demoted = 0;  // readers demoted after stall_timeout
  std::uint64_t refused = 0;  // readers refused
  std::uint64_t epochs = 0;   // memories made: 1 plus the times it grew
};

/// One reader as the writer knows it, counters as its own page reports them.
struct ReaderStatus {
  std::uint32_t pid = 0;  // in the writer's PID namespace; 0 where that does not see it
  std::string name;
  Policy policy = Policy::queue;  // as admitted; see demoted
  bool demoted = false;
  std::uint64_t cursor = 0;  // next sequence it wants
  std::uint32_t pinned = 0;  // slots held now
  std::uint32_t max_pins = 0;
  // not 0: it died so long ago, and its place is kept (WriterOptions::absence_timeout_ms). `pid` is the one
  // it had, its page's counters are not known
  std::uint32_t away_ms = 0;
  std::uint64_t delivered = 0, verified = 0, skipped = 0, lapped = 0, corrupted = 0;
  std::uint64_t waits = 0;  // times the writer waited because of this reader
};

/// How acquire() waits in a thread that shares its writer with others: every data call is made with `lock`
/// held.
struct SharedWait {
  std::unique_lock<std::mutex>& lock;  // let go while it sleeps
  // Once it says so, and wake() was called, the wait ends as `interrupted`. None: interrupt() does that.
  std::function<bool()> stop;
};

class FrameWriter {
 public:
  /// Takes the stream's name. Memory is made and readers are let in when the first format is set (or at the
  /// first acquire of a stream of opaque bytes). A dead writer's leftovers are taken over. Throws
  /// Error{in_use} naming the pid of a living writer, {bad_argument}, {no_permission}.
  explicit FrameWriter(std::string_view stream, const WriterOptions& options = {});
  /// The same, with the format set at once.
  FrameWriter(std::string_view stream, const Format& format, const WriterOptions& options = {});
  FrameWriter(FrameWriter&&) noexcept;
  FrameWriter& operator=(FrameWriter&&) noexcept;
  /// Without end() before it, readers see a disconnect, not an end.
  ~FrameWriter();

  /// For the frames acquired from now on; does nothing when equal to the present one. May make larger memory.
  /// Throws Error{bad_argument | no_memory}.
  void set_format(const Format& format);
  /// Slots hold at least `bytes` from now on, whatever the format asks for: said before the format is set,
  /// memory for frames that are padded beyond it is made once. Afterwards it grows the memory where it must.
  /// Throws Error{no_memory}.
  void reserve(std::uint64_t bytes);
  /// As many loans may be open from now on, where that is more than before: so many slots more. Throws
  /// Error{no_memory} above kMaxSlots or max_bytes, with nothing changed.
  void reserve_loans(std::uint32_t loans);
  void set_segment(const Segment& segment);
  void set_tags(const Tags& tags);
  [[nodiscard]] const Format& format() const noexcept;

  /// Waits until the readers of WriterOptions::wait_for have joined, those of ended_readers aside, or
  /// start_timeout_ms. Called by the first publish as well. True when nobody is missing.
  bool wait_for_readers() noexcept;
  /// The same for a writer that several threads share; false after wait.stop too, and then to be called
  /// again.
  bool wait_for_readers(const SharedWait& wait) noexcept;
  /// Those of wait_for who had not joined when start_timeout_ms was over. A data call.
  [[nodiscard]] const std::vector<std::string>& started_without() const noexcept;
  /// Waits until so many readers, whoever they are, have joined, or wait.stop. True when they have.
  bool wait_for_readers(std::uint32_t count, const SharedWait& wait) noexcept;

  /// A slot to fill: of `bytes`, or 0 for the format's own frame size. Waits up to `timeout_ms` where the
  /// policies say so (never, on a live stream); after a timeout error() says who holds the slots. Grows the
  /// memory when `bytes` is larger than a slot. bad_argument when WriterOptions::loans are open already.
  [[nodiscard]] WriteStatus acquire(Loan& loan, std::size_t bytes = 0, int timeout_ms = kForever) noexcept;
  /// The same, for a writer that several threads share: waits as long as it takes, or until wait.stop.
  /// bad_argument counts the loans that others wait for too.
  [[nodiscard]] WriteStatus acquire(Loan& loan, std::size_t bytes, const SharedWait& wait) noexcept;
  /// Whoever waits in acquire() looks again: when SharedWait::stop would say so, after dropping a loan in
  /// another thread. Thread-safe.
  void wake() noexcept;
  /// The loan is of the stream's present memory: published without a copy.
  [[nodiscard]] bool has(const Loan& loan) const noexcept;
  /// The loan's frame is published with the present format, in its default layout, whatever format was set
  /// when it was acquired.
  void reformat(Loan& loan) noexcept;

  /// Stamps, checksums and publishes. The loan is empty afterwards, unless the status is bad_argument or,
  /// where a wait was stopped (a loan of memory that the stream has left is copied), interrupted.
  [[nodiscard]] WriteStatus publish(Loan&& loan, const FrameInfo& info) noexcept;
  /// The same, but the slot is not used again before `loan` has been dropped too: whoever filled it may go on
  /// reading it (a decoder its reference pictures). It counts as an open loan until then; its data() is
  /// empty.
  [[nodiscard]] WriteStatus publish_and_keep(Loan& loan, const FrameInfo& info) noexcept;
  /// The same, for a writer that several threads share: one that has to wait, for readers or for a slot of
  /// the new memory, waits as acquire() does.
  [[nodiscard]] WriteStatus publish(Loan&& loan, const FrameInfo& info, const SharedWait& wait) noexcept;
  [[nodiscard]] WriteStatus publish_and_keep(Loan& loan, const FrameInfo& info,
                                             const SharedWait& wait) noexcept;
  /// acquire, one fused copy and hash, publish. Side data is copied from `side_data`.
  [[nodiscard]] WriteStatus write(std::span<const std::byte> payload, const FrameInfo& info = {},
                                  const SideDataView& side_data = {}, int timeout_ms = kForever) noexcept;
  /// A frame without payload: `kind` gap, or event with its text.
  [[nodiscard]] WriteStatus write_gap(std::int64_t pts_ns, std::int64_t duration_ns) noexcept;
  [[nodiscard]] WriteStatus write_event(std::string_view text, std::int64_t pts_ns = kNoTime) noexcept;

  /// End of stream: every reader gets what it is owed, then ReadStatus::ended. Nothing can be published after
  /// it.
  void end() noexcept;
  /// After end(): waits until every lossless and queue reader has taken its last frame or left. True when all
  /// have.
  bool drain(int timeout_ms = kForever) noexcept;

  /// True once after readers asked for a key frame.
  [[nodiscard]] bool take_key_frame_request() noexcept;

  /// Makes a blocked and every later acquire return `interrupted`, until resume(). Thread-safe.
  void interrupt() noexcept;
  void resume() noexcept;

  [[nodiscard]] const std::string& stream() const noexcept;
  [[nodiscard]] WriterStats stats() const noexcept;
  [[nodiscard]] std::vector<ReaderStatus> readers() const;
  [[nodiscard]] const std::string& error() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reel
