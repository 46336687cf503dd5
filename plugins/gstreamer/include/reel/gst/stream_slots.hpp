// The slots of one stream as the elements of a pipeline share them: those before the writing element fill
// slots directly (through a SlotPool or an allocator), the element itself publishes. Thread-safe. Lives until
// the last buffer is gone, which may be after the writer.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <gst/gst.h>
#include <gst/video/video.h>

#include <reel/channel/frame_writer.hpp>
#include <reel/format/video_format.hpp>

namespace reel::gst {

/// What became of the buffers of one stream.
struct SlotCounts {
  std::uint64_t in_place = 0;  // published where they lay
  std::uint64_t copied = 0;    // foreign, or published before: one copy each
  std::uint64_t heap = 0;      // given out without a slot, because max_bytes allowed no more
  std::uint64_t growths = 0;   // times slots were added because buffers held too many
};

class Slot;

/// The part of a slot that one buffer has.
struct SlotPart {
  GstMemory* memory;
  Slot* slot;
  std::size_t offset_bytes;
  std::size_t bytes;
};

class StreamSlots : public std::enable_shared_from_this<StreamSlots> {
 public:
  using Stop = std::function<bool()>;
  using AddSideData = std::function<void(const Format& format, SideDataWriter& side_data)>;

  /// Loans that buffers cannot have: the writing element's own, for copies.
  static constexpr std::uint32_t kSpareLoans = 1;

  /// How the writing element publishes a loan, and keeps it where that is asked for. Given `wait`, the writer
  /// is free for others while it waits; one that waits without keeps them from it.
  using Publish = std::function<WriteStatus(FrameWriter& writer, Loan& loan, const FrameInfo& info, bool keep,
                                            const SharedWait& wait)>;

  /// `loans` as the writer was opened with. `publish` where it is not the writer itself that publishes; what
  /// it throws, publish() throws.
  StreamSlots(std::shared_ptr<FrameWriter> writer, std::uint32_t loans, Publish publish = publish_plainly);
  StreamSlots(const StreamSlots&) = delete;
  StreamSlots& operator=(const StreamSlots&) = delete;

  /// What is published from here on has this format. The memory is made with it when the first slot is
  /// needed, so that whoever knows of larger buffers can say so before.
  void set_format(const Format& format);
  /// The same where there was no format before; does nothing later.
  void set_first_format(const Format& format);
  /// Before `buffers` of `bytes` are asked for, as far as the stream's limits allow.
  void reserve(std::uint64_t bytes, std::uint32_t buffers) noexcept;
  /// The memory exists from here on, and readers are let in. Throws Error.
  void open();

  /// A slot for a buffer of `bytes` which is not the writing element's: memory that is writable until it is
  /// published. Waits while readers hold the slots (without a `stopped` it does not); where buffers hold
  /// them, adds more. nullptr when stopped(), flushing or closed, or when there may be no more slots: the
  /// buffer has to come from the heap (counted), and is copied when it is published.
  [[nodiscard]] GstMemory* lend(std::size_t bytes, const Stop& stopped) noexcept;
  /// Whoever waits in lend() asks its `stopped` again.
  void wake() noexcept;
  /// Nothing is lent until it is allowed again, and whoever waits in lend() comes back: the elements before
  /// cannot stop or flush while one of their threads waits in it.
  void refuse(bool on) noexcept;

  /// The slot that `buffer` lies in, when it is one of these, whole, not yet published, and of memory that
  /// the stream has not left for larger.
  [[nodiscard]] std::optional<SlotPart> find(GstBuffer* buffer) const noexcept;
  /// Publishes it where it lies; its memory is read-only from here on. With a layout for pictures that have
  /// planes. Statuses as FrameWriter::publish.
  [[nodiscard]] WriteStatus publish(const SlotPart& part, const VideoLayout* layout, const FrameInfo& info,
                                    const AddSideData& add_side_data);
  /// A slot to copy into. Waits while readers hold them all, until interrupt().
  [[nodiscard]] WriteStatus acquire(Loan& loan, std::size_t bytes) noexcept;
  /// What was copied.
  [[nodiscard]] WriteStatus publish(Loan&& loan, const FrameInfo& info);
  /// Waits until those that the writer was opened to wait for have joined, or its start_timeout: then
  /// `missing` are those who had not, once. False after interrupt(). REQUIRES: open().
  [[nodiscard]] bool wait_for_named_readers(std::vector<std::string>& missing);
  /// Waits until there are so many readers, those with names among them; false after interrupt(). REQUIRES:
  /// open().
  [[nodiscard]] bool wait_for_readers(std::uint32_t count) noexcept;
  /// What the writing element waits for ends as `interrupted`, until resume(); lend() goes on waiting.
  void interrupt() noexcept;
  void resume() noexcept;
  /// What went wrong last.
  [[nodiscard]] std::string error() const;

  /// Anything else that is done with the writer. REQUIRES: not closed.
  template <typename Use>
  auto with_writer(Use&& use) {
    const std::lock_guard lock(mutex_);
    return use(*writer_);
  }

  /// The stream begins anew, with another writer: the one before is let go first, for its name. What was lent
  /// by it is copied when it is published. Throws what `make` throws; closed then.
  void restart(const std::function<std::shared_ptr<FrameWriter>()>& make, std::uint32_t loans);
  /// Lets the writer go: waits end, what is lent later comes from the heap.
  void close() noexcept;
  /// Nothing is lent: closed, or refused.
  [[nodiscard]] bool closed() const noexcept {
    return refusing_.load(std::memory_order_acquire) || !look([](FrameWriter&) {});
  }
  /// Its thread-safe calls, from any thread; false once closed. Nobody has the writer beyond the call: with
  /// the writer its name is let go, which the next one takes.
  template <typename Use>
  bool look(Use&& use) const {
    const std::lock_guard lock(place_mutex_);
    if (!writer_) return false;
    use(*writer_);
    return true;
  }

  [[nodiscard]] SlotCounts counts() const noexcept;

 private:
  friend class Slot;

  static WriteStatus publish_plainly(FrameWriter& writer, Loan& loan, const FrameInfo& info, bool keep,
                                     const SharedWait& wait);
  [[nodiscard]] WriteStatus publish_sharing(std::unique_lock<std::mutex>& lock, Loan& loan,
                                            const FrameInfo& info, bool keep);
  [[nodiscard]] bool grow() noexcept;
  [[nodiscard]] WriteStatus lend(Loan& loan, std::size_t bytes, const Stop& stopped,
                                 std::unique_lock<std::mutex>& lock);
  void let_writer_go(std::unique_lock<std::mutex>& lock) noexcept;
  void apply_format();
  void take_back(Loan& loan) noexcept;

  const Publish publish_;
  mutable std::mutex mutex_;             // for every data call of the writer
  mutable std::mutex place_mutex_;       // of writer_ alone, so that a call that waits can be interrupted;
                                         // never held while anybody waits
  std::shared_ptr<FrameWriter> writer_;  // none once closed; replaced under both
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> refusing_{false};
  std::optional<Format> next_format_;  // not yet the writer's
  std::optional<Format> last_format_;
  std::uint32_t loans_;
  std::uint32_t lent_ = 0;     // slots that buffers hold or wait for, published or not
  std::uint32_t waiting_ = 0;  // threads in calls of the writer that let mutex_ go
  bool restarting_ = false;
  std::condition_variable settled_;  // waiting_ became 0, restarting_ false
  bool opened_ = false;              // the first format was set
  bool may_grow_ = true;
  std::string error_;  // of a format that could not be set; else the writer knows
  SlotCounts counts_;
};

/// A picture that lies in a slot, whole and with planes that a layout can tell of.
struct PlacedPicture {
  SlotPart part;
  VideoLayout layout;  // from the slot's first byte
};

/// nullopt when the picture has to be copied. `info` and `format` are those of the buffer's caps.
[[nodiscard]] std::optional<PlacedPicture> placed_picture(const StreamSlots& slots, GstBuffer* buffer,
                                                          const GstVideoInfo& info,
                                                          const VideoFormat& format);

}  // namespace reel::gst
