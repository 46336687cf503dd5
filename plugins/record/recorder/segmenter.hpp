// Decides which file each unit goes into: cuts the recording into segments. Called by the recorder's thread.
// It does nothing itself: files are opened and closed by whoever it is given. Single-thread; no clock of its
// own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "media/unit.hpp"

namespace record {

/// One file while units go into it.
class UnitFile {
 public:
  virtual ~UnitFile() = default;
  /// `unit.track` is the recording's number of its track.
  virtual void write(const Unit& unit) = 0;
  /// The track has gone: nothing more of it comes into this file.
  virtual void leave(std::size_t track) = 0;
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;
};

class SegmentFiles {
 public:
  virtual ~SegmentFiles() = default;
  /// Of these tracks, each of which has a unit for it; `start_ns` is the media time it begins at.
  [[nodiscard]] virtual std::unique_ptr<UnitFile> open(const std::vector<std::size_t>& tracks,
                                                       std::int64_t start_ns) = 0;
  /// All that belongs into it was written, or nothing more can be: see Segmenter::drop_files().
  virtual void close(std::unique_ptr<UnitFile> file) = 0;
  /// The track is to go on in the new file, for which it needs a key frame, the sooner the better.
  virtual void want_key_frame(std::size_t track) = 0;
  /// The unit goes into no file: it needs a key frame that its file does not have.
  virtual void lose(const Unit& unit) = 0;
};

/// A cut is made where the reference, the first video track that is there, has a key frame and the segment is
/// as long as asked; of sound alone, anywhere. Sound goes by its time into the file before or behind the cut;
/// other video changes files at its own next key frame. So for a moment two files may be open, and no third
/// is begun, unless the second becomes four times as long as asked. A track that comes (back), or that
/// changes its format, makes a cut as well; one that goes does not hold up the others. Video begins in each
/// file with a key frame.
class Segmenter {
 public:
  struct Settings {
    std::int64_t segment_ns = 20'000'000'000;
    std::uint64_t segment_bytes = 0;  // 0: no limit
    std::int64_t patience_ns =
        1'000'000'000;                      // so far behind the others, and silent for as long: it has gone
    std::int64_t begin_ns = 2'000'000'000;  // the first file waits so long for tracks that have had no unit
  };
  /// `video` says of each track what it is. `files` lives longer.
  Segmenter(Settings settings, const std::vector<bool>& video, SegmentFiles& files);

  /// What a track is, where that was not known at first. REQUIRES: it has had no unit.
  void set_video(std::size_t track, bool video) { tracks_[track].video = video; }
  /// In the order of decoding within a track. `now_ns` is CLOCK_MONOTONIC. Throws what files throw: then the
  /// unit is in no file; see drop_files().
  void push(Unit unit, std::int64_t now_ns);
  /// From time to time, when no unit comes.
  void tick(std::int64_t now_ns);
  /// The track has ended, or its source is known to be away: nobody waits for it.
  void leave(std::size_t track);
  /// Writes all that is held and closes the files.
  void finish();
  /// After an error of a file: what is open is closed as it is, the next unit begins a new one. What was held
  /// is kept, as far as it can be decoded without what was before.
  void drop_files();
  /// A file before the present one still waits for some of its tracks.
  [[nodiscard]] bool has_previous() const noexcept { return previous_ != nullptr; }

  /// Those that have not reached a file, which they then never will.
  [[nodiscard]] std::vector<Unit> take_held();
  /// Media time at which the present segment will be long enough; nullopt while there is none.
  [[nodiscard]] std::optional<std::int64_t> due_ns() const;
  /// Bytes of units that wait for their file.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_bytes_; }

 private:
  struct Place {
    bool video = false;
    bool present = false;           // it has units and has not gone
    bool ended = false;             // it has gone, and nobody waits for its first unit
    bool in_previous = false;       // it has not reached the last cut
    bool in_file = false;           // the file that it is in knows it
    bool begun = false;             // and has a unit of it
    bool asked = false;             // for a key frame, which has not come
    std::int64_t newest_ns = 0;     // media time of the last one pushed
    std::int64_t seen_ns = 0;       // CLOCK_MONOTONIC of that
    std::shared_ptr<GstCaps> caps;  // of the file that it is in
    std::deque<Unit> held;
  };

  [[nodiscard]] std::optional<std::size_t> reference() const;
  void begin();
  void lose_undecodable(Place& track);
  void lose(Place& track, const Unit& unit);
  void ask_for_key_frame(std::size_t track);
  static void take_out(Place& track) noexcept;
  [[nodiscard]] static bool begins_before(const Place& track, std::int64_t time_ns);
  void pump();
  void place_next(std::size_t track);
  [[nodiscard]] bool may_go(std::size_t track) const;
  void place(const Unit& unit);
  void go_on_in_current(std::size_t track);
  void write(Place& place, const Unit& unit);
  [[nodiscard]] bool is_due(const Unit& unit) const;
  void cut(std::size_t track, std::int64_t time_ns);
  void close_previous();
  void close_previous_if_passed();
  void let_go_of_absent(std::int64_t now_ns);
  void tell_of_absent();

  Settings settings_;
  SegmentFiles& files_;
  std::vector<Place> tracks_;
  std::unique_ptr<UnitFile> current_;
  std::unique_ptr<UnitFile> previous_;  // before the last cut, as long as a track has not reached it
  std::int64_t start_ns_ = 0;           // of current_
  std::optional<std::int64_t> first_seen_ns_;
  std::size_t held_bytes_ = 0;
  bool finishing_ = false;
};

}  // namespace record
