// Readers and writers as processes of their own, ordered about line by line, and frames whose every byte
// tells their number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/runtime_dir.hpp>

#include <reel/channel/frame_writer.hpp>
#include <reel/channel/options.hpp>
#include <reel/shm/segment.hpp>

namespace stream_test {

/// Every eight bytes depend on the frame's number and their place.
void fill_pattern(std::span<std::byte> bytes, std::uint64_t number) noexcept;
[[nodiscard]] bool pattern_holds(std::span<const std::byte> bytes, std::uint64_t number) noexcept;
/// A frame of `bytes` with the pattern of `number`.
[[nodiscard]] std::vector<std::byte> pattern(std::size_t bytes, std::uint64_t number);

using Settings = std::vector<std::string>;  // "key=value"

/// A process with a FrameReader. Settings: policy, start, name, pins, verify, reconnect, corrupted; user and
/// in_groups make it another user's first (that takes root). It answers:
///   "take N [delay_ms]" -> "took COUNT STATUS first=.. last=.. gaps=.. discont=.. missed=.. bad=..
///   median_us=.. longest_us=.." after N frames, or at the first status that is no frame; gaps counts
///   sequence
///       numbers that were passed over, bad frames of a wrong pattern, the times are those between two frames
///   "hold N" -> "holding COUNT STATUS", "release" -> "released"
///   "stats" -> "stats delivered=.. verified=.. corrupted=.. skipped=.. lapped=.. connects=.. error=.."
[[nodiscard]] reel_test::ChildProcess start_reader(const std::string& stream, const Settings& settings = {});

/// A process with a FrameWriter of opaque bytes. Settings: bytes, slots, history, live, memory, side, stall,
/// users and groups (those allowed, by number), everyone; user and in_groups as above. It answers:
///   "write N [delay_us]" -> "wrote LAST STATUS", the frames' numbers counting on; "bytes N" changes their
///   size "run [delay_us]" -> "running", then writes for ever "end" -> "ended"; "stats" -> "stats
///   published=.. waits=.. demoted=.. refused=.. epochs=.."
[[nodiscard]] reel_test::ChildProcess start_writer(const std::string& stream, const Settings& settings = {});

/// Sends a command and returns the answer that begins with `start`; fails the test when there is none.
[[nodiscard]] std::string ask(reel_test::ChildProcess& child, const std::string& command,
                              const std::string& start);
/// The number behind "key=" in an answer.
[[nodiscard]] std::uint64_t field(const std::string& answer, const std::string& key);
/// The second and third word of "took COUNT STATUS ..." or "wrote LAST STATUS".
[[nodiscard]] std::uint64_t count_of(const std::string& answer);
[[nodiscard]] std::string status_of(const std::string& answer);

inline constexpr std::size_t kFrameBytes = 100'000;

/// Every test of streams: a runtime directory and a stream name of its own, and frames that count on.
class StreamTest : public ::testing::Test {
 protected:
  explicit StreamTest(std::size_t frame_bytes = kFrameBytes) : frame_bytes_(frame_bytes) {}

  [[nodiscard]] const std::string& stream() const noexcept { return stream_; }
  [[nodiscard]] reel_test::TempRuntimeDir& runtime_dir() noexcept { return directory_; }
  /// Publishes that many frames, each with the pattern of its number; bytes 0: as many as frame_bytes().
  void write(reel::FrameWriter& writer, std::uint64_t count, std::uint32_t flags = reel::kKeyFrame,
             std::size_t bytes = 0);
  /// The number of the newest.
  [[nodiscard]] std::uint64_t written() const noexcept { return number_; }
  [[nodiscard]] std::size_t frame_bytes() const noexcept { return frame_bytes_; }
  void TearDown() override;

 private:
  std::size_t frame_bytes_;
  std::uint64_t number_ = 0;
  reel_test::TempRuntimeDir directory_;
  std::string stream_ = reel_test::unique_name("s");
};

/// The same, once for each kind of memory.
class EveryMemory : public StreamTest, public ::testing::WithParamInterface<reel::SegmentKind> {
 protected:
  using StreamTest::StreamTest;
  /// A writer of that kind of memory, its slots of frame_bytes() unless the options say otherwise.
  [[nodiscard]] reel::FrameWriter make_writer(reel::WriterOptions options = {.slots = 16},
                                              const reel::Format& format = {}) const;
  [[nodiscard]] std::string memory() const { return "memory=" + std::string(reel::to_string(GetParam())); }
};
[[nodiscard]] std::string memory_name(const ::testing::TestParamInfo<reel::SegmentKind>& info);

}  // namespace stream_test
