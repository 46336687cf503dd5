// The first units of a segment, in a file of their own, while its muxer waits for a track: a camera that
// sends key frames seldom is in the file before until its next one, and until then nothing can be written
// into the new file. Made beside the segment: "X.lead-0-2" has its tracks 0 and 2, another one is made when
// one more has begun. They are removed when the segment is finished; the repair of one that was left open
// takes them in its place. One thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "media/mux.hpp"
#include "recorder/syncer.hpp"

namespace record {

class LeadFile {
 public:
  /// Of "X.open.mkv", these units, and more of their tracks. Throws reel::Error where it cannot be made.
  LeadFile(const std::string& open_file, Container container, const std::vector<Unit>& units);
  LeadFile(const LeadFile&) = delete;
  LeadFile& operator=(const LeadFile&) = delete;
  ~LeadFile() = default;
  [[nodiscard]] bool has(std::size_t track) const noexcept;
  /// REQUIRES: has(unit.track). Throws as Mux does.
  void write(const Unit& unit);
  /// Nothing more comes of this track.
  void leave(std::size_t track);
  /// It is needed no more. Else it stays.
  void remove() const noexcept;
  /// For whoever makes it safe from time to time.
  [[nodiscard]] std::weak_ptr<SyncedFile> synced() const noexcept { return file_; }

 private:
  [[nodiscard]] std::size_t index_of(std::size_t track) const noexcept;

  std::vector<std::size_t> tracks_;  // of the segment
  std::string path_;
  std::shared_ptr<SyncedFile> file_;
  DescriptorSink sink_;
  Mux mux_;
};

/// One that was left.
struct Lead {
  std::string path;
  std::vector<std::size_t> tracks;  // of the segment, which it has in this order
};
/// Of "X.open.mkv". Throws reel::Error{io}.
[[nodiscard]] std::vector<Lead> leads_of(const std::string& open_file);
/// The one with most frames, where that is more than the segment has.
[[nodiscard]] std::optional<Lead> best_lead(const std::string& open_file);
void remove_leads(const std::string& open_file) noexcept;

}  // namespace record
