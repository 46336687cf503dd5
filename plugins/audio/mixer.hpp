// Adds up several tracks of sound on one time line. A track is what one input has brought: pieces of sound at
// their places, silence between them. Used by audio.mix from its stage thread; knows nothing of streams.
// Single-thread. Positions and lengths are sample frames of the mix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include <reel/base/clock.hpp>

/// What is said about a piece, beside its sound.
struct PieceNotes {
  std::int64_t capture_ns = reel::kNoTime;
  std::vector<std::byte> side_data;
};

class Mixer {
 public:
  /// `tracks` at most as there are inputs; `channels` of the mix.
  Mixer(std::size_t tracks, std::size_t channels) : channels_(channels), tracks_(tracks) {}

  /// Sound of a track, interleaved, at `position`; behind what it brought last for nullopt. What lies before
  /// position() is dropped, as is what the track has brought already.
  void add(std::size_t track, std::optional<std::int64_t> position, std::vector<double> samples,
           PieceNotes notes);
  /// The track is silent up to `position`.
  void add_silence(std::size_t track, std::int64_t position);
  /// Nothing more comes from it: nobody waits for it.
  void end(std::size_t track);

  /// Where the mix goes on; where the earliest track begins, until something was taken.
  [[nodiscard]] std::int64_t position() const;
  /// Where a track goes on: behind its last sound, and not before position().
  [[nodiscard]] std::int64_t end_of(std::size_t track) const;
  /// Sample frames from position() on that every track which goes on has brought (or that all have, once they
  /// have ended).
  [[nodiscard]] std::int64_t complete() const;
  /// Sample frames from position() on that some track has brought.
  [[nodiscard]] std::int64_t brought() const;
  /// Goes on where the next sound begins, where every track is silent for `least` frames or more until then.
  bool skip_silence(std::int64_t least);
  /// From now on nobody waits for those tracks that have brought less than `frames`, until they bring sound
  /// that is not too late. Returns how many these are.
  std::size_t leave_behind(std::int64_t frames);

  /// The next frames of the mix, whoever has brought them, and what is said about pieces that begin in them.
  /// `samples` is frames x channels.
  void take(std::span<double> samples, std::vector<PieceNotes>& notes);
  /// Sample frames that came too late for the mix.
  [[nodiscard]] std::uint64_t too_late() const noexcept { return too_late_; }

 private:
  struct Piece {
    std::int64_t from = 0, to = 0;
    std::vector<double> samples;
    std::optional<PieceNotes> notes;  // until they were given on
  };
  struct Track {
    std::deque<Piece> pieces;
    std::int64_t end = 0;
    bool begun = false;  // `end` means something
    bool ended = false;
    bool behind = false;  // nobody waits for it
  };
  [[nodiscard]] std::int64_t reach(const Track& track) const;

  std::size_t channels_;
  std::vector<Track> tracks_;
  std::optional<std::int64_t> taken_to_;
  std::uint64_t too_late_ = 0;
};
