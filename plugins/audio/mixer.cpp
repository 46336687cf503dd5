#include "mixer.hpp"

#include <algorithm>
#include <utility>

void Mixer::add(std::size_t track, std::optional<std::int64_t> position, std::vector<double> samples,
                PieceNotes notes) {
  Track& to = tracks_[track];
  const std::int64_t length = static_cast<std::int64_t>(samples.size() / channels_);
  const std::int64_t from = position.value_or(end_of(track));
  const std::int64_t earliest =
      to.begun ? std::max(to.end, taken_to_.value_or(to.end)) : taken_to_.value_or(from);
  const std::int64_t late = std::clamp<std::int64_t>(earliest - from, 0, length);
  too_late_ += static_cast<std::uint64_t>(late);
  if (late == length && length != 0) return;
  samples.erase(samples.begin(), samples.begin() + late * static_cast<std::int64_t>(channels_));
  to.pieces.push_back({from + late, from + length, std::move(samples), std::move(notes)});
  to.end = from + length;
  to.begun = true;
  to.behind = false;
}

void Mixer::add_silence(std::size_t track, std::int64_t position) {
  Track& to = tracks_[track];
  if (to.begun && position <= to.end) return;
  to.end = position;
  to.begun = true;
}

void Mixer::end(std::size_t track) {
  tracks_[track].ended = true;
}

std::int64_t Mixer::position() const {
  if (taken_to_) return *taken_to_;
  std::optional<std::int64_t> first;
  for (const Track& track : tracks_)
    if (!track.pieces.empty()) first = std::min(first.value_or(track.pieces[0].from), track.pieces[0].from);
  return first.value_or(0);
}

std::int64_t Mixer::end_of(std::size_t track) const {
  const Track& of = tracks_[track];
  return of.begun ? std::max(of.end, taken_to_.value_or(of.end)) : position();
}

// Frames from position() on that the track has brought.
std::int64_t Mixer::reach(const Track& track) const {
  return track.begun ? std::max<std::int64_t>(0, track.end - position()) : 0;
}

std::int64_t Mixer::complete() const {
  std::optional<std::int64_t> least;
  for (const Track& track : tracks_)
    if (!track.ended && !track.behind) least = std::min(least.value_or(reach(track)), reach(track));
  return least ? std::min(*least, brought()) : brought();
}

std::int64_t Mixer::brought() const {
  std::int64_t most = 0;
  for (const Track& track : tracks_)
    if (!track.pieces.empty()) most = std::max(most, track.pieces.back().to - position());
  return most;
}

bool Mixer::skip_silence(std::int64_t least) {
  std::optional<std::int64_t> next;
  for (const Track& track : tracks_)
    if (!track.pieces.empty()) next = std::min(next.value_or(track.pieces[0].from), track.pieces[0].from);
  if (!next || *next - position() < least || complete() < *next - position()) return false;
  taken_to_ = *next;
  return true;
}

std::size_t Mixer::leave_behind(std::int64_t frames) {
  std::size_t left = 0;
  for (Track& track : tracks_) {
    if (track.ended || track.behind || reach(track) >= frames) continue;
    track.behind = true;
    ++left;
  }
  return left;
}

void Mixer::take(std::span<double> samples, std::vector<PieceNotes>& notes) {
  const std::int64_t from = position();
  const std::int64_t to = from + static_cast<std::int64_t>(samples.size() / channels_);
  std::ranges::fill(samples, 0.0);
  for (Track& track : tracks_) {
    for (Piece& piece : track.pieces) {
      if (piece.from >= to) break;
      if (piece.notes) notes.push_back(*std::exchange(piece.notes, std::nullopt));
      const std::int64_t first = std::max(piece.from, from), last = std::min(piece.to, to);
      const auto channels = static_cast<std::int64_t>(channels_);
      for (std::int64_t i = first * channels; i < last * channels; ++i)
        samples[static_cast<std::size_t>(i - from * channels)] +=
            piece.samples[static_cast<std::size_t>(i - piece.from * channels)];
    }
    while (!track.pieces.empty() && track.pieces.front().to <= to) track.pieces.pop_front();
  }
  taken_to_ = to;
}
