// The inside of FrameWriter: the name, the memory of the present epoch, the server that readers talk to. Data
// thread, but for interrupt(), stats() and readers().
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include <reel/channel/frame_writer.hpp>
#include <reel/channel/writer_trace.hpp>

#include "name_lock.hpp"
#include "stream_server.hpp"
#include "writer_epoch.hpp"

namespace reel {

class FrameWriter::Impl {
 public:
  Impl(std::string stream, const WriterOptions& options);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void set_format(const Format& format);
  void reserve(std::uint64_t bytes);
  void reserve_loans(std::uint32_t loans);
  void set_segment(const Segment& segment);
  void set_tags(const Tags& tags);
  [[nodiscard]] const Format& format() const noexcept { return format_; }
  [[nodiscard]] bool wait_for_readers() noexcept;
  [[nodiscard]] bool wait_for_readers(const SharedWait& wait) noexcept;
  [[nodiscard]] bool wait_for_readers(std::uint32_t count, const SharedWait& wait) noexcept;
  [[nodiscard]] WriteStatus acquire(Loan& loan, std::size_t bytes, int timeout_ms) noexcept;
  [[nodiscard]] WriteStatus acquire(Loan& loan, std::size_t bytes, const SharedWait& wait) noexcept;
  void wake() noexcept { server_.notify(); }
  [[nodiscard]] bool has(const Loan& loan) const noexcept { return loan.held_.epoch() == epoch_.get(); }
  void reformat(Loan& loan) noexcept;
  /// nullptr for a writer that is not shared.
  [[nodiscard]] WriteStatus publish(Loan& loan, const FrameInfo& info, bool keep,
                                    const SharedWait* wait) noexcept;
  [[nodiscard]] WriteStatus write(std::span<const std::byte> payload, const FrameInfo& info,
                                  const SideDataView& side_data, int timeout_ms) noexcept;
  void end() noexcept;
  [[nodiscard]] bool drain(int timeout_ms) noexcept;
  [[nodiscard]] bool take_key_frame_request() noexcept { return server_.take_key_frame_request(); }
  void interrupt(bool on) noexcept;
  [[nodiscard]] const std::string& stream() const noexcept { return stream_; }
  [[nodiscard]] WriterStats stats() const noexcept;
  [[nodiscard]] std::vector<ReaderStatus> readers() const { return server_.readers(); }
  [[nodiscard]] const std::vector<std::string>& started_without() const noexcept { return started_without_; }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  [[nodiscard]] StreamRequest request_for(std::uint64_t slot_bytes, std::uint64_t first_sequence);
  [[nodiscard]] std::uint64_t slot_bytes_for(std::uint64_t frame_bytes) const;
  void make_memory(std::uint64_t slot_bytes);  // the first epoch, or the next; throws
  void name_records();  // ids of the present format, segment and tags in the present epoch; throws
  class Sleeper;        // see frame_writer_wait.hpp
  class AnnouncedWait;

  void add_slots(std::uint32_t slots);  // throws with nothing changed
  void add_slots_roomily(std::uint32_t slots);
  void grow_for_readers() noexcept;
  [[nodiscard]] bool wait_for_declared(Sleeper& sleeper) noexcept;
  [[nodiscard]] WriteStatus check_loans() noexcept;
  [[nodiscard]] WriteStatus lend(Loan& loan, std::size_t bytes, Sleeper& sleeper) noexcept;
  void fit_format(Loan& loan) const noexcept;
  [[nodiscard]] WriteStatus ensure_capacity(std::uint64_t bytes) noexcept;
  [[nodiscard]] WriteStatus wait_for_slot(std::uint32_t& slot, Sleeper& sleeper) noexcept;
  WriteStatus timed_out(int timeout_ms) noexcept;
  // For whoever traces this writer; nullptr while nobody does.
  [[nodiscard]] WriterTrace* tracing() const noexcept {
    return options_.trace != nullptr && options_.trace->wanted() ? options_.trace : nullptr;
  }
  [[nodiscard]] WriteStatus rescue(const Loan& loan, const FrameInfo& info, const SharedWait* wait) noexcept;
  WriteStatus refuse(WriteStatus status, std::string message) noexcept;
  WriteStatus refuse_after_end() noexcept;

  std::string stream_;
  WriterOptions options_;
  std::string directory_;
  NameLock name_lock_;
  StreamServer server_;
  std::shared_ptr<WriterEpoch> epoch_;
  std::shared_ptr<std::uint32_t> open_loans_ = std::make_shared<std::uint32_t>(0);  // see WriterEpoch
  std::uint32_t awaited_loans_ = 0;  // in acquire() of threads that share this writer
  std::uint32_t sleepers_ = 0;       // that announced their wait to the readers
  Format format_;
  bool format_set_ = false;
  std::uint64_t reserved_bytes_ = 0;
  VideoLayout layout_;  // default of the present format
  std::optional<Segment> segment_;
  std::optional<Tags> tags_;
  std::uint32_t format_id_ = 0, segment_id_ = 0, tags_id_ = 0;
  bool waited_for_readers_ = false;
  std::vector<std::string> started_without_;
  std::int64_t start_deadline_ns_ = 0;  // CLOCK_MONOTONIC, of a shared wait for them; 0 before it began
  bool ended_ = false;
  std::uint32_t epochs_made_ = 0;
  std::atomic<bool> interrupted_{false};
  std::atomic<std::uint64_t> published_{0}, bytes_{0}, copied_{0}, waits_{0};
  std::string error_;
};

}  // namespace reel
