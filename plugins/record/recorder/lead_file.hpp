// The first units of a segment, in a file of their own, while its muxer waits for a track: a camera that
// sends key frames seldom is in the file before until its next one, and until then nothing can be written
// into the new file. Made beside the segment as "X.lead1", "X.lead2": one more each time a track has begun.
// In the end they are removed; the repair of a segment that was left open takes them in its place. Called by
// the recorder's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "media/mux.hpp"
#include "recorder/syncer.hpp"

namespace record {

/// Of "X.mkv" and "X.open.mkv": "X.lead1"; numbers begin with 1.
[[nodiscard]] std::string lead_path_of(std::string_view path, unsigned number);

class LeadFile {
 public:
  /// Of these units, and of more of their tracks. Throws reel::Error where it cannot be made.
  LeadFile(std::string path, Container container, const std::vector<Unit>& units);
  LeadFile(const LeadFile&) = delete;
  LeadFile& operator=(const LeadFile&) = delete;
  /// It is needed no more. Else it stays.
  void remove() const noexcept;
  [[nodiscard]] bool has(std::size_t track) const noexcept;
  /// REQUIRES: has(unit.track). Throws as Mux does.
  void write(const Unit& unit);
  /// For whoever makes it safe from time to time.
  [[nodiscard]] std::weak_ptr<SyncedFile> synced() const noexcept { return file_; }

 private:
  std::string path_;
  std::vector<std::size_t> tracks_;  // of the segment
  std::shared_ptr<SyncedFile> file_;
  DescriptorSink sink_;
  Mux mux_;
};

/// Where a lead of "X.open.mkv" has more frames than that, it takes its place; the others are removed. True
/// where one did. Throws reel::Error{io}.
bool take_lead(const std::string& open_file);

}  // namespace record
