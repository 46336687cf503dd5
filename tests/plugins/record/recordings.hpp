// What a recorder left in a directory, and whether it is whole: for tests of the stage. Single-thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <catalog/segment.hpp>

namespace reel_test {

/// Of a directory of recordings, in the order in which they were begun; the open ones as well.
[[nodiscard]] std::vector<record::SegmentRecord> segments_in(const std::string& directory);
/// Of those that are whole: neither open nor broken (of a kill before anything of them was written).
[[nodiscard]] std::vector<record::SegmentRecord> finished_in(const std::string& directory);

/// The units of a stream in all of these files, read from the files themselves.
struct RecordedUnit {
  std::int64_t media_ns = 0;
  std::int64_t duration_ns = 0;
  std::size_t segment = 0;  // which of the files
};
[[nodiscard]] std::vector<RecordedUnit> units_of(const std::string& directory,
                                                 const std::vector<record::SegmentRecord>& segments,
                                                 const std::string& stream);

/// Fails the test where a file is not there, not finished, not decodable to its end, or holds other numbers
/// of units than its manifest says.
void expect_intact(const std::string& directory, const std::vector<record::SegmentRecord>& segments);
/// Fails the test where the time between two units differs by more than `tolerance_ns` from the first one's
/// duration.
void expect_steady(const std::vector<RecordedUnit>& units, std::int64_t step_ns, std::int64_t tolerance_ns);
/// Frames that gaps say were lost of the stream.
[[nodiscard]] std::uint64_t lost_frames(const std::vector<record::SegmentRecord>& segments,
                                        const std::string& stream);
/// Numbers of the frames that the facts beside the files tell of, in their order.
[[nodiscard]] std::vector<std::uint64_t> numbers_of(const std::string& directory,
                                                    const std::vector<record::SegmentRecord>& segments,
                                                    const std::string& stream);

}  // namespace reel_test
