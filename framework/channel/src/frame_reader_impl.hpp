// The inside of FrameReader: a connection that comes and goes, the epoch it reads, and how it waits.
// Single-thread, but for interrupt().
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include <reel/base/error.hpp>
#include <reel/channel/frame_reader.hpp>

#include "join.hpp"
#include "reader_epoch.hpp"
#include "service.hpp"

namespace reel {

class FrameReader::Impl {
 public:
  Impl(std::string stream, const ReaderOptions& options);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] ReadStatus read(Frame& frame, int timeout_ms) noexcept;
  [[nodiscard]] int fd() const noexcept { return poll_.get(); }
  [[nodiscard]] bool prepare_wait() noexcept;
  void interrupt(bool on) noexcept;
  void keep_place() noexcept;
  bool request_key_frame() noexcept;
  [[nodiscard]] const std::string& stream() const noexcept { return stream_; }
  [[nodiscard]] bool connected() const noexcept {
    return connection_ && (!connection_->hung_up() || epoch_->ring().ready());
  }
  [[nodiscard]] bool parked() const noexcept { return parked_; }
  [[nodiscard]] std::uint32_t slots() const noexcept { return epoch_ ? epoch_->view().geometry.slots : 0; }
  [[nodiscard]] std::int64_t memory_created_ns() const noexcept {
    return epoch_ ? epoch_->view().geometry.created_ns : kNoTime;
  }
  [[nodiscard]] ReaderStats stats() const noexcept;
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  /// How long a writer's answer to hello, or its word of new memory, is waited for, over any number of calls.
  static constexpr std::int64_t kHandshakeTimeoutNs = 5'000'000'000;

  // What one look at the ring came to.
  enum class Step { done, again, nothing };

  Step take(Frame& frame, ReadStatus& status) noexcept;
  bool deliver(const TakenSlot& taken, Frame& frame) noexcept;
  bool described(const TakenSlot& taken, Frame& frame) noexcept;
  bool payload_holds(const TakenSlot& taken, Frame& frame) noexcept;
  void pass_over(const TakenSlot& taken, const Frame& frame) noexcept;
  const VideoLayout* known_layout(const SlotRecord& record, const Format& format) noexcept;
  void tell_of_damage(std::uint64_t sequence) noexcept;
  Step lost_writer(ReadStatus& status) noexcept;

  bool connect() noexcept;  // does not block; false: not now; error_ set and failed_ when never
  bool say_hello();         // the same; true when somebody listens
  void wait_parked() noexcept;
  void forget_hello() noexcept;
  void tell_of_long_absence();  // of a writer; once
  void join(Joined joined);
  void adopt(std::shared_ptr<ReaderEpoch> epoch) noexcept;
  Step follow(ReadStatus& status) noexcept;  // to the memory in which the stream goes on
  void drop_abandoned_epochs() noexcept;
  void disconnect() noexcept;
  void set_connection(std::shared_ptr<ReaderConnection> connection) noexcept;
  void read_messages() noexcept;  // doorbells and messages that have come in, so many at a time
  void handle_message() noexcept;
  void fail(ErrorCode code, const std::string& message) noexcept;

  void wait_connected(std::int64_t deadline_ns) noexcept;
  void wait_unconnected(std::int64_t deadline_ns) noexcept;
  void wait_for_message(int socket, std::int64_t deadline_ns) noexcept;
  bool spin() noexcept;
  [[nodiscard]] static std::int64_t longest_spin_ns() noexcept;
  void arm_timer(std::int64_t at_ns) noexcept;
  void disarm_timer() noexcept;

  std::string stream_;
  ReaderOptions options_;
  std::shared_ptr<Service> service_;
  UniqueFd poll_;  // what fd() hands out: holds the socket, and the timer
  UniqueFd timer_;
  UniqueFd hello_socket_;        // of a writer that was greeted and has not answered yet
  bool parked_ = false;          // that writer answers when it has more slots
  std::mutex connection_mutex_;  // interrupt() may look at connection_ while it is changed; the reader itself
                                 // reads it freely
  std::shared_ptr<ReaderConnection> connection_;
  std::shared_ptr<ReaderEpoch> epoch_;
  // of epoch_, for the next frame: counted while there is nothing to read
  std::shared_ptr<ReaderEpoch> spare_share_;
  // announced, adopted one by one as each before is read out
  std::deque<std::shared_ptr<ReaderEpoch>> next_epochs_;
  TakeRules rules_;
  TakeCounters counters_;
  TakenSlot taken_;                  // a member, so that it is not cleared for every look
  struct {                           // the layout checked last: most frames have that of the one before
    const Format* format = nullptr;  // in epoch_
    std::uint64_t payload_bytes = 0;
    std::uint8_t plane_count = 0;
    std::uint8_t planes_listed = 0;
    std::array<std::uint64_t, kMaxPlanes> offset_bytes{};
    std::array<std::uint32_t, kMaxPlanes> stride_bytes{};
    VideoLayout layout;
  } checked_;
  std::uint64_t connects_ = 0;
  std::uint64_t missed_seen_ = 0;  // of counters_, already told by a frame's missed_before
  bool discont_ = false;           // the next frame does not continue the last one
  bool started_ = false;           // some frame was delivered
  std::int64_t told_of_damage_ns_ = 0;
  bool ended_ = false;
  bool failed_ = false;
  bool armed_socket_ = false;
  std::int64_t moved_since_ns_ = 0;  // the memory has moved on, and where to has not come yet
  std::int64_t retry_at_ns_ = 0;  // when to look for a writer again, or to give up the one that was greeted
  std::int64_t retry_delay_ns_ = 0;
  bool keeps_place_ = false;          // it does not say that it leaves
  std::int64_t absent_since_ns_ = 0;  // that no writer is there; 0: one is, or the log has said so
  std::int64_t spin_ns_ = 0;          // how long spinning has paid lately
  unsigned waits_ = 0;                // with the shortest spin
  std::atomic<bool> interrupted_{false};
  std::atomic<std::uint32_t> idle_word_{0};  // what a read without a writer sleeps on
  ErrorCode error_code_ = ErrorCode::refused;
  std::string error_;
  ReceivedMessage message_;
};

}  // namespace reel
