// The directory of recordings: DAY/X.mkv, X.open.mkv while it is written, X.json (its manifest), X.frames,
// X.EVENT.jpg. What is finished is not touched again but to be protected or removed. Several processes may
// use one directory. Thread-safe: it keeps nothing that changes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <reel/base/unique_fd.hpp>

#include "catalog/segment.hpp"

namespace record {

struct StoreOptions {
  std::string directory{};
  bool create = false;  // for recorders: made if its parent is there, and tried whether it can be written to
  /// A mount point at or above the directory without which nothing is written, so that a disk that is lost
  /// does not fill the one below; empty: none. Looked at here and again by each begin() and save().
  std::string require_mount{};
};

/// Held by who records under this name into this directory; given back when it goes, or its process dies.
class RecordingLock {
 public:
  explicit RecordingLock(reel::UniqueFd file) noexcept : file_(std::move(file)) {}

 private:
  reel::UniqueFd file_;
};

/// A new file, to be written to.
struct OpenSegment {
  std::string path;         // it will have when it is finished, below the directory: SegmentRecord::path
  std::string file;         // the whole path of what is open now, "/.../X.open.mkv"
  std::string frames_file;  // where its frames' facts go, "/.../X.frames"; not made yet
  reel::UniqueFd fd;        // of `file`, empty, O_RDWR
};

/// When a manifest was written, to see whether it has changed.
struct ManifestStamp {
  std::int64_t modified_ns = 0;
  std::uint64_t bytes = 0;
  [[nodiscard]] bool operator==(const ManifestStamp&) const = default;
};
/// A segment that lies in the directory; its manifest is not read for it.
struct Found {
  std::string path;                       // SegmentRecord::path
  bool open = false;                      // it is "X.open.mkv" still
  std::optional<ManifestStamp> manifest;  // nullopt: there is none
  [[nodiscard]] bool operator==(const Found&) const = default;
};

class Store {
 public:
  /// Throws reel::Error: not_found (no such directory, or nothing to make it in; the mount is not there),
  /// no_permission, io, each with what to do about it.
  explicit Store(StoreOptions options);

  [[nodiscard]] const std::string& directory() const noexcept { return options_.directory; }
  [[nodiscard]] std::string whole_path(const std::string& path) const {
    return options_.directory + "/" + path;
  }
  /// Throws Error{not_found} when the directory is gone, or the mount that it must lie on.
  void check() const;
  /// Makes a small file and removes it, for who records under this name. Throws Error where that fails.
  void try_to_write(const std::string& recording) const;
  /// For files that everybody may write: free to this user. Throws Error{io}.
  [[nodiscard]] std::uint64_t free_bytes() const;

  /// Throws Error{in_use}, naming the process that has it.
  [[nodiscard]] RecordingLock lock(const std::string& recording) const;

  /// Makes X.open.mkv for `record` (its recording, kind, container and start_utc_ns) and the day's directory.
  /// REQUIRES: the recording's lock.
  [[nodiscard]] OpenSegment begin(const SegmentRecord& record) const;
  /// Writes the manifest of a segment that is open, as it goes; or of a finished one, protected.
  void save(const SegmentRecord& record) const;
  /// Makes the file, its facts and its manifest safe (fdatasync), then gives it its name; what is called
  /// `record.path` after that is whole. Fills `bytes` in. `record.state` says how it ended: not `open`.
  void finish(SegmentRecord& record) const;

  /// True while some process holds the recording's lock.
  [[nodiscard]] bool being_recorded(const std::string& recording) const;

  /// Everything of the segment, the file itself last, and its day's directory when it was the last there.
  /// Logs the reason. False where there was none. Throws Error{io | no_permission}.
  bool remove(const Found& found, const std::string& reason) const;

  /// Directories of days, "2026-11-22", in order.
  [[nodiscard]] std::vector<std::string> days() const;
  /// Changes when a name in the day's directory does; nullopt: it is gone.
  [[nodiscard]] std::optional<std::int64_t> day_modified_ns(const std::string& day) const;
  [[nodiscard]] std::vector<Found> segments_of(const std::string& day) const;
  /// The one of this path (SegmentRecord::path); nullopt: there is none, nor is it a segment's path.
  [[nodiscard]] std::optional<Found> look_up(const std::string& path) const;
  /// True when the manifest can be read.
  [[nodiscard]] bool has_manifest(const Found& found) const;
  /// The manifest; where it is missing or cannot be read, what name and file tell (a warning is logged).
  [[nodiscard]] SegmentRecord read(const Found& found) const;

 private:
  StoreOptions options_;
};

}  // namespace record
