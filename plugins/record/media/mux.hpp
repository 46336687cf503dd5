// Units into a file: Matroska, or MP4 in fragments. One thread writes; the sink is called by threads of the
// muxer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "coding.hpp"
#include "unit.hpp"

namespace record {

/// Where the bytes of a file go. Called by one thread at a time, not always the same.
class ByteSink {
 public:
  ByteSink() = default;
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  virtual ~ByteSink() = default;
  /// All of `bytes` at `offset`, or an errno value (ENOSPC). After a failure nothing more is asked.
  [[nodiscard]] virtual int write(std::uint64_t offset, std::span<const std::byte> bytes) noexcept = 0;
};

/// Into a descriptor, which is not closed.
class DescriptorSink : public ByteSink {
 public:
  explicit DescriptorSink(int descriptor) noexcept : descriptor_(descriptor) {}
  [[nodiscard]] int write(std::uint64_t offset, std::span<const std::byte> bytes) noexcept override;

 private:
  int descriptor_;
};

class Mux {
 public:
  struct Settings {
    Container container = Container::matroska;
    std::size_t tracks = 0;  // units have `track` 0 to tracks - 1
    /// Media time that is 0 in the file. Without it, that of the earliest unit: shown, or decoded where
    /// pictures are out of order.
    std::optional<std::int64_t> origin_ns{};
    /// Bytes go to the sink no later than this much media time after their unit was written, as long as no
    /// track is behind by more.
    std::int64_t cluster_ns = 500'000'000;
    /// MP4 that is finished at once, its index first, as browsers like it: its bytes wait in this file until
    /// finish(). Empty: fragments.
    std::string fast_start_file{};
    /// A muxer that does nothing for longer at the end has failed; a sink may take its time.
    std::int64_t timeout_ns = 10'000'000'000;
    std::string where;  // the file's name, for messages
  };
  /// Nothing is written before each track has had a unit or has left.
  Mux(Settings settings, ByteSink& sink);
  Mux(const Mux&) = delete;
  Mux& operator=(const Mux&) = delete;
  /// What was not finished stays as it is: a file without an end, which repair() closes. A muxer that hangs
  /// is left behind (apart.hpp).
  ~Mux();

  /// In the order of decoding within a track. Does not wait. A track's first unit brings its caps: units with
  /// other caps throw reel::Error{bad_argument} (they need a new file). Throws reel::Error{io} once the sink
  /// failed.
  void write(const Unit& unit);
  /// Nothing more comes for this track in this file. The muxer waits for tracks that have neither had their
  /// next unit nor left: leave those that are away. A track that has left cannot come back.
  /// What has failed is said by whoever writes or finishes.
  void leave(std::size_t track);
  /// Writes the rest, index and duration; returns when all is with the sink. Throws as write() does. A file
  /// with no unit at all stays empty.
  void finish();

  /// Bytes of the file so far.
  [[nodiscard]] std::uint64_t bytes() const noexcept;
  /// What is 0 in the file; nullopt before it is known.
  [[nodiscard]] std::optional<std::int64_t> origin_ns() const noexcept;
  /// Bytes of units that the muxer holds because a track is behind.
  [[nodiscard]] std::size_t held_bytes() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace record
