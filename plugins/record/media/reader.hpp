// The units of a recorded file again, not decoded: for probe, repair, join and playback. Single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coding.hpp"
#include "unit.hpp"

namespace record {

class UnitReader {
 public:
  /// Throws reel::Error{not_found | no_permission | io} for a file that cannot be opened,
  /// reel::Error{protocol} for one that is no media file (empty, cut within its header).
  explicit UnitReader(const std::string& path);
  UnitReader(const UnitReader&) = delete;
  UnitReader& operator=(const UnitReader&) = delete;
  ~UnitReader();

  /// Tracks, in the file's order; their caps are those of the file.
  struct TrackInfo {
    std::string codec;
    bool video = false;
    std::shared_ptr<GstCaps> caps;
    std::size_t place = 0;  // in the file's header, which may have tracks without any unit before it
  };
  [[nodiscard]] const std::vector<TrackInfo>& tracks() const noexcept;
  [[nodiscard]] Container container() const noexcept;
  /// As the file's header says; nullopt of a file that was not finished.
  [[nodiscard]] std::optional<std::int64_t> duration_ns() const noexcept;

  /// In the order of the file; times are those of the file, `frame` counts within the track. nullopt at the
  /// end. A damaged or unfinished end is an end: see fault().
  [[nodiscard]] std::optional<Unit> next();
  /// What was wrong; empty when nothing was.
  [[nodiscard]] const std::string& fault() const noexcept;
  /// Goes on at the last key frame of the first video track at or before this time of the file.
  void seek(std::int64_t time_ns);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace record
