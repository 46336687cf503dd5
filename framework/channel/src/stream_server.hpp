// The service-thread side of a writer: takes connections, admits readers into the ring's scan set, answers
// observers, removes who hangs up. The data thread enters only to wake readers (lock-free) and to move
// everyone to new memory. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <reel/base/error.hpp>
#include <reel/channel/frame_writer.hpp>

#include "service.hpp"
#include "socket.hpp"
#include "writer_epoch.hpp"

namespace reel {

class StreamServer final : public ReaderWaker {
 public:
  /// Throws Error{no_permission} when those whom `options` list cannot reach the directory.
  StreamServer(std::string stream, std::string directory, const WriterOptions& options);
  ~StreamServer();
  StreamServer(const StreamServer&) = delete;
  StreamServer& operator=(const StreamServer&) = delete;

  /// Starts to listen. Throws Error.
  void open(std::shared_ptr<WriterEpoch> epoch);

  // --- data thread ---
  void wake(std::uint32_t index, WakeKind kind, ReaderPage& page) noexcept override;
  /// Every reader is admitted to `next` at its first sequence and sent its descriptors; then the old memory
  /// says so. Throws Error {no_memory} with nothing changed.
  void move_to(std::shared_ptr<WriterEpoch> next);
  /// Lossless readers that keep the writer waiting become `queue` readers, and are told. True when there was
  /// one.
  bool demote(ReaderMask stalled) noexcept;
  /// Those that broke their quota are cut off.
  void drop_hostile() noexcept;
  static constexpr std::int64_t kNoExpiry = std::int64_t{1} << 62;
  /// Readers that died and did not come back in time, or will not come back, are waited for no longer.
  /// Returns when to look again, CLOCK_MONOTONIC in nanoseconds; kNoExpiry when none is awaited.
  std::int64_t expire_absences(std::int64_t now_ns) noexcept;
  /// How long a wait for readers may last before WriterOptions::ended_readers is looked at again.
  [[nodiscard]] std::int64_t look_every_ns() const noexcept {
    return options_.ended_readers == nullptr ? kNoExpiry : 100'000'000;
  }

  /// What admission counts with from now on.
  void set_loans(std::uint32_t loans) noexcept;
  /// Slots that the readers need who could not be let in; 0 when there are none. Looked at often: one load.
  [[nodiscard]] std::uint32_t wanted_slots() const noexcept {
    return wanted_slots_.load(std::memory_order_relaxed);
  }
  /// Lets them in, as far as there is room by now; the others are refused with `why`, or, where that is
  /// empty, kept.
  void settle_parked(const std::string& why) noexcept;

  // --- any thread ---
  /// Changes whenever something happened that a waiting writer may wait for; futex_wake'd.
  [[nodiscard]] const std::atomic<std::uint32_t>& events() const noexcept { return events_; }
  void notify() noexcept;
  [[nodiscard]] std::uint32_t reader_count() const noexcept;
  [[nodiscard]] std::vector<std::string> missing_readers(const std::vector<std::string>& names) const;
  /// Who keeps the writer from a slot, for a message: readers with what they pin and have still to take.
  [[nodiscard]] std::string holders() const;
  /// True when a lossless or queue reader has frames still to take.
  [[nodiscard]] bool owes_frames() const;
  [[nodiscard]] std::vector<ReaderStatus> readers() const;
  [[nodiscard]] bool take_key_frame_request() noexcept {
    return key_frame_wanted_.exchange(false, std::memory_order_acq_rel);
  }
  [[nodiscard]] std::uint64_t demoted() const noexcept { return demoted_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t epochs() const noexcept { return epochs_.load(std::memory_order_relaxed); }

 private:
  struct Outgoing {
    std::vector<std::byte> bytes;
    std::vector<UniqueFd> fds;
  };
  using Outbox =
      std::list<Outgoing>;  // spliced: a message that was built is sent without anything that fails
  struct Peer {
    UniqueFd socket;
    PeerCredentials credentials;
    // departed: a reader that left, and holds frames of memory that the stream has left too; it is in no scan
    // set
    // parked: a reader that is to be let in when there are more slots
    enum class Stage { greeting, parked, reader, observer, departed } stage = Stage::greeting;
    HelloMessage hello{};
    std::uint32_t index = 0;             // in the scan set, of a reader
    std::unique_ptr<OwnedSegment> page;  // of a reader
    bool left = false;                   // said so; its pins count until it hangs up
    bool comes_back = false;             // said so: another of its name follows where it dies
    std::int64_t since_ns = 0;           // when it connected
    Outbox outgoing;                     // what would have blocked
  };

  // A lossless reader that died and is awaited; its place in the scan set is kept.
  struct Absent {
    Absent(const HelloMessage& greeting, std::uint32_t entry, std::unique_ptr<ReaderPage> own, pid_t owner,
           std::int64_t since, std::int64_t until)
        : hello(greeting), index(entry), page(std::move(own)), pid(owner), since_ns(since), until_ns(until) {}
    HelloMessage hello;
    std::uint32_t index;
    std::unique_ptr<ReaderPage> page;
    pid_t pid;  // it had
    std::int64_t since_ns;
    std::int64_t until_ns;
  };

  void on_listener() noexcept;
  void serve(UniqueFd socket, const PeerCredentials& credentials);
  void cannot_serve(const std::string& why) noexcept;
  void on_peer(int fd, std::uint32_t events) noexcept;
  [[nodiscard]] bool handle(Peer& peer, ReceivedMessage& message);
  [[nodiscard]] bool greet(Peer& peer, const HelloMessage& hello);
  void admit(Peer& peer, const HelloMessage& hello);
  void park(Peer& peer);
  enum class Room { enough, more_slots };
  [[nodiscard]] Room check_admission(const Peer& peer, const HelloMessage& hello);
  void tell(const Peer& peer, bool joined) const noexcept;
  [[nodiscard]] bool user_allowed(const Peer& peer) const;
  [[nodiscard]] std::uint64_t first_cursor(const HelloMessage& hello) const;
  [[nodiscard]] static Outbox welcome(std::uint32_t index, MessageType type, WriterEpoch& epoch,
                                      const OwnedSegment* page);
  void refuse(Peer& peer, ErrorCode code, const std::string& text) noexcept;
  void report(Peer& peer);
  void leave(Peer& peer) noexcept;
  void remove(int fd) noexcept;
  [[nodiscard]] std::uint64_t unfinished_cursor(const Peer& peer) const noexcept;
  void drop_greeting() noexcept;
  void remember(const Peer& peer, std::uint64_t cursor);
  [[nodiscard]] bool has_ended(const std::string& name) const noexcept;
  [[nodiscard]] bool is_awaited(const Peer& peer) const;
  void keep_place(const Peer& peer);
  [[nodiscard]] const Absent* absence_of(const std::string& name) const noexcept;
  void forget_absence(const std::string& name);
  std::int64_t drop_expired(std::int64_t now_ns) noexcept;  // expire_absences(), under the mutex
  void move_absent_to(WriterEpoch& next) noexcept;
  [[nodiscard]] bool send(Peer& peer, Outbox messages) noexcept;  // false: queued, watch for EPOLLOUT
  [[nodiscard]] bool flush(Peer& peer) noexcept;                  // the same
  void watch_for_room(int fd, bool sent) noexcept;
  [[nodiscard]] Peer* peer_at(std::uint32_t index) noexcept;
  [[nodiscard]] static ReaderPage& page_of(const Peer& peer) noexcept;
  [[nodiscard]] std::unique_ptr<OwnedSegment> make_page() const;
  [[nodiscard]] ReaderStatus status_of(const Peer& peer) const;
  [[nodiscard]] ReaderStatus status_of(const Absent& one) const;
  [[nodiscard]] std::vector<ReaderStatus> all_readers() const;
  [[nodiscard]] static std::string name_of(const HelloMessage& hello);

  std::string stream_;
  std::string directory_;
  WriterOptions options_;
  SocketAccess access_;
  std::shared_ptr<Service> service_;
  UniqueFd listener_;
  bool cannot_serve_ = false;  // and has said so. The service thread's own
  mutable std::mutex mutex_;   // of everything below, but for the atomics and sockets_
  std::shared_ptr<WriterEpoch> epoch_;
  std::map<int, std::unique_ptr<Peer>> peers_;  // by socket
  struct Left {
    std::uint64_t cursor = 0;
    std::int64_t until_ns = 0;
  };
  std::map<std::string, Left> left_;  // cursors of named readers that are gone
  std::vector<Absent> absent_;
  std::array<int, kScanEntries> sockets_{};  // by scan entry; set before the entry is, for wake()
  std::atomic<std::uint32_t> events_{0};
  std::atomic<std::uint32_t> wanted_slots_{0};
  std::atomic<bool> key_frame_wanted_{false};
  std::atomic<std::uint64_t> demoted_{0}, refused_{0}, epochs_{0};
};

}  // namespace reel
