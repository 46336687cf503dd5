// A look at a stream from outside: no pins, no cursor, nothing the writer waits for. Frames are copied out,
// then validated. For tools (ls, inspect, verify of what is kept, snapshot). Single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <reel/channel/frame_writer.hpp>

namespace reel {

struct StreamStatus {
  std::string name;
  std::string epoch;               // 32 hex digits
  std::uint64_t epochs = 0;        // memories its writer has made so far: 1 plus the times it grew
  std::uint32_t writer_pid = 0;    // 0: of a PID namespace that this process does not see
  bool same_pid_namespace = true;  // false: the pids of its readers are numbers of the writer's
  std::string caps;                // of the newest frame, or the format set last
  std::uint32_t layout_major = 0, layout_minor = 0;
  std::uint32_t slots = 0;
  std::uint64_t slot_bytes = 0;  // payload capacity of one
  std::uint64_t side_data_bytes = 0;
  std::uint64_t memory_bytes = 0;  // control and payload together
  std::string memory;              // "memfd", "posix"
  std::uint64_t head = 0;          // next sequence to be published
  std::uint64_t oldest = 0;        // oldest sequence kept
  bool live = false;
  bool ended = false;
  bool sealed = false;  // the kernel refuses writes by anyone but the writer
  ChecksumMode checksum = ChecksumMode::full;
  double fps = 0;  // measured over the frames kept, from their publish times; falls when no more come
  std::uint64_t waits = 0;  // of the writer for readers
  std::vector<ReaderStatus> readers;
};

/// One slot as it was when looked at.
struct SlotStatus {
  std::uint32_t slot = 0;
  std::string state;           // "free", "writing", "ready", "retired"
  std::uint64_t sequence = 0;  // of the frame in it; 0 when none
  std::string kind;            // "media", "gap", "event"; empty when none
  std::uint64_t payload_bytes = 0, side_data_bytes = 0;
  FrameInfo info;
  std::int64_t publish_ns = kNoTime;
  std::uint64_t checksum = 0;
  std::string verdict;  // "ok", "corrupted", "unchecked" (mode none), "changed" (overwritten meanwhile), "-"
                        // (no frame)
};

struct StreamRecords {
  std::vector<Format> formats;
  std::vector<Segment> segments;
  std::vector<Tags> tags;
};

/// A private copy of one frame.
struct FrameCopy {
  std::uint64_t sequence = 0;
  FrameInfo info;
  Format format;
  VideoLayout layout;
  std::int64_t publish_ns = kNoTime;
  std::vector<std::byte> payload;
  std::vector<std::byte> side_data;  // see SideDataView
  bool intact = false;               // its checksum is right (or there is none)
};

class StreamObserver {
 public:
  /// Throws Error{not_found} saying where was looked and what there is, {refused}, {version}, {protocol},
  /// {timeout}, {no_permission}.
  explicit StreamObserver(std::string_view stream, int timeout_ms = 2000);
  StreamObserver(StreamObserver&&) noexcept;
  StreamObserver& operator=(StreamObserver&&) noexcept;
  ~StreamObserver();

  // All of these look at the memory the stream is in at that time, and throw Error{closed} when it has moved
  // since and its writer is gone.

  /// Asks the writer for its readers; throws Error{closed} when it went away meanwhile.
  [[nodiscard]] StreamStatus status();
  [[nodiscard]] StreamRecords records() const;
  [[nodiscard]] std::vector<SlotStatus> slots() const;
  /// Copies the newest frame; false when there is none.
  [[nodiscard]] bool newest(FrameCopy& frame) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Names of the streams that have a living writer, sorted, over all runtime directories this user may list.
[[nodiscard]] std::vector<std::string> list_streams();

}  // namespace reel
