// How a stream is written and read: what FrameWriter and FrameReader are opened with. Pure values.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <reel/base/checksum.hpp>
#include <reel/shm/backend.hpp>

namespace reel {

/// What a reader is owed. The numbers are part of the handshake.
enum class Policy : std::uint32_t {
  lossless = 1,  // every frame, in order: a writer that is not live waits for it
  queue = 2,     // every frame it keeps up with, in order; a counted gap when it is lapped
  latest = 3     // the newest frame at each read; what was skipped is counted
};

/// Where a new reader begins. The numbers are part of the handshake.
enum class Start : std::uint32_t {
  live = 1,      // the next frame published
  oldest = 2,    // the oldest frame still kept
  keyframe = 3,  // the newest key frame still kept, else the next one
  resume = 4     // where the reader of the same name left off, as far as it is still kept; else live
};

[[nodiscard]] std::string_view to_string(Policy policy) noexcept;
[[nodiscard]] std::string_view to_string(Start start) noexcept;
[[nodiscard]] std::optional<Policy> policy_from(std::string_view name) noexcept;
[[nodiscard]] std::optional<Start> start_from(std::string_view name) noexcept;

/// `[A-Za-z0-9._/-]{0,63}`
[[nodiscard]] bool valid_reader_name(std::string_view name) noexcept;
/// What a message says of one that is not.
[[nodiscard]] std::string bad_reader_name(std::string_view name);

inline constexpr std::uint32_t kMinSlots = 2;
inline constexpr std::uint32_t kMaxSlots = 256;
inline constexpr std::uint32_t kMaxReaders = 64;
inline constexpr std::uint32_t kDefaultPins = 2;
inline constexpr int kForever = -1;  // a timeout that never comes
// What a reader without a name is called: set for the program of an exec stage, so that writers can wait
inline constexpr const char* kReaderNameVariable = "REEL_READER";

/// A reader that joined a writer, or left it.
struct ReaderChange {
  bool joined = false;
  pid_t pid = 0;     // 0: of a PID namespace that the writer does not see
  std::string name;  // empty where it gave none
  Policy policy = Policy::queue;
};

class WriterTrace;

struct WriterOptions {
  std::uint32_t slots = 8;  // 2 to 256
  // payload bytes of one slot; 0: what the format needs. Grows when a frame is larger
  std::uint64_t slot_bytes = 0;
  std::uint64_t max_bytes = std::uint64_t{4} << 30;  // of all slots together: growth beyond it is refused
  // A reader for which there are too few slots is let in once there are more, within max_bytes and kMaxSlots,
  // at the writer's next frame; without it, it is refused.
  bool grow_for_readers = false;
  // Newest frames that are never taken back: what `oldest` and `resume` can count on. Beside lossless readers
  // alone, no more are kept than these want.
  std::uint32_t history = 1;
  std::uint32_t loans = 1;               // slots that are open for filling at one time
  std::uint32_t side_data_bytes = 4096;  // room for side data in each slot, a multiple of 8, at most 16 MiB
  ChecksumMode checksum = ChecksumMode::full;
  bool live = false;             // a source that cannot wait: readers that lag lose frames instead
  std::uint32_t lag_frames = 0;  // live: frames kept for every lossless reader, counted at its admission
  std::vector<Policy> allowed_policies = {};  // empty: all
  std::vector<std::string> wait_for =
      {};  // names of readers that must have joined before the first frame is published; kMaxReaders at most
  // Bit i, once set, says that wait_for[i] will not come, or not come back: nobody waits for it any more.
  // Looked at every 100 ms of a wait. It outlives the writer; nullptr: nobody says so.
  const std::atomic<std::uint64_t>* ended_readers = nullptr;
  int start_timeout_ms = 10'000;  // how long that is waited for; then the stream starts without them
  int stall_timeout_ms =
      30'000;  // not live: a lossless reader that blocks the writer so long is demoted; 0: never
  // not live: how long frames are kept for a lossless reader that died and is of wait_for, or `comes_back`,
  // and the writer waits for it; 0: it goes on at once
  int absence_timeout_ms = 5'000;
  int resume_ms = 60'000;  // how long the cursor of a named reader is remembered after it left
  SegmentKind memory = SegmentKind::memfd;
  // Who may join besides the writer's own user and root. The runtime directory is opened for them (o+x);
  // where they still could not reach it, the writer throws. They set REEL_RUNTIME_DIR to that directory.
  std::vector<uid_t> allowed_users = {};
  std::vector<gid_t> allowed_groups = {};
  bool allow_everyone = false;
  // Told of every reader that has joined or gone, in a thread of Reel's own: it must not wait, nor call the
  // writer.
  std::function<void(const ReaderChange&)> on_reader = {};
  // Told when a reader has asked for a key frame, in the same way; take_key_frame_request() is true then.
  std::function<void()> on_key_frame_request = {};
  // Told when each frame is published. It outlives the writer; nullptr: nobody is.
  WriterTrace* trace = nullptr;
};

class Frame;

struct ReaderOptions {
  // Shown in tools; needed for `resume` and `wait_for`. See valid_reader_name(); empty: $REEL_READER, if any
  std::string name = {};
  Policy policy = Policy::queue;
  Start start = Start::live;
  std::uint32_t max_pins = kDefaultPins;  // frames held at one time, the one being taken included
  bool verify = true;                     // check the payload's checksum of every frame
  bool deliver_corrupted = false;  // hand a damaged frame on, flagged kCorrupted, instead of dropping it
  // wait for a writer that is not there (yet, or any more) instead of ReadStatus::closed
  bool reconnect = true;
  // how long the constructor waits to be let in by a writer that is there (one that is stopped never does,
  // one that has too few slots does with its next frame), 5 s at most. After that the reads do, which
  // interrupt() ends, and a refusal comes as ReadStatus::failed
  int connect_timeout_ms = kForever;
  // Where it dies, another of its name follows: the writer keeps the place of a lossless one as if its
  // wait_for named it (WriterOptions::absence_timeout_ms).
  bool comes_back = false;
  // how long there is no writer until the log says so, once an absence; 0: it never does
  int absence_notice_ms = 10'000;
  // Asked of every media frame before its payload is verified, in the thread that reads: false passes it
  // over, counted as skipped, and the frame after it is no discontinuity for that. The payload and side data
  // are not to be looked at; it must not throw, nor call the reader. Not for encoded streams: frames need
  // those before them. Empty: all are wanted.
  std::function<bool(const Frame&)> wanted = {};
};

}  // namespace reel
