#include "recorder/segmenter.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace record {
namespace {

/// A file is so many times as long as asked before a track without key frames keeps it from being cut no
/// more.
constexpr std::int64_t kLongest = 4;

[[nodiscard]] bool same(const std::shared_ptr<GstCaps>& one, const std::shared_ptr<GstCaps>& other) {
  if (one == other) return true;
  return one && other && gst_caps_is_equal(one.get(), other.get()) != FALSE;
}

}  // namespace

Segmenter::Segmenter(Settings settings, const std::vector<bool>& video, SegmentFiles& files)
    : settings_(settings), files_(files), tracks_(video.size()) {
  for (std::size_t i = 0; i < video.size(); ++i) tracks_[i].video = video[i];
}

std::optional<std::size_t> Segmenter::reference() const {
  for (std::size_t i = 0; i < tracks_.size(); ++i)
    if (tracks_[i].video && tracks_[i].present) return i;
  return std::nullopt;
}

std::optional<std::int64_t> Segmenter::due_ns() const {
  if (!current_) return std::nullopt;
  return start_ns_ + settings_.segment_ns;
}

void Segmenter::push(Unit unit, std::int64_t now_ns) {
  Place& place = tracks_[unit.track];
  if (!first_seen_ns_) first_seen_ns_ = now_ns;
  place.newest_ns = place.present ? std::max(place.newest_ns, unit.time_ns) : unit.time_ns;
  place.present = true;
  place.ended = false;
  place.seen_ns = now_ns;
  held_bytes_ += unit.bytes();
  place.held.push_back(std::move(unit));
  tick(now_ns);
}

void Segmenter::tick(std::int64_t now_ns) {
  if (!first_seen_ns_) return;
  let_go_of_absent(now_ns);
  if (!current_) {
    const bool all = std::all_of(tracks_.begin(), tracks_.end(),
                                 [](const Place& track) { return track.present || track.ended; });
    if (all || now_ns - *first_seen_ns_ >= settings_.begin_ns) begin();
  }
  pump();
}

void Segmenter::leave(std::size_t track) {
  tracks_[track].present = false;
  tracks_[track].ended = true;
  pump();  // others may have waited for it
}

/// Those that have gone, once all that they left was written.
void Segmenter::tell_of_absent() {
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    Place& track = tracks_[i];
    if (track.present || !track.in_file || !track.held.empty()) continue;
    if (track.in_previous) previous_->leave(i);
    current_->leave(i);
    take_out(track);
    if (track.video) ask_for_key_frame(i);  // for the file that it comes back into
  }
}

void Segmenter::let_go_of_absent(std::int64_t now_ns) {
  std::int64_t newest_ns = std::numeric_limits<std::int64_t>::min();
  for (const Place& track : tracks_)
    if (track.present) newest_ns = std::max(newest_ns, track.newest_ns);
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    const Place& track = tracks_[i];
    if (track.present && newest_ns - track.newest_ns > settings_.patience_ns &&
        now_ns - track.seen_ns > settings_.patience_ns)
      leave(i);
  }
}

void Segmenter::take_out(Place& track) noexcept {
  track.in_file = track.in_previous = track.begun = false;
}

void Segmenter::ask_for_key_frame(std::size_t track) {
  tracks_[track].asked = true;
  files_.want_key_frame(track);
}

void Segmenter::lose(Place& track, const Unit& unit) {
  if (!track.asked) ask_for_key_frame(unit.track);
  files_.lose(unit);
}

void Segmenter::lose_undecodable(Place& track) {
  while (track.video && !track.held.empty() && !track.held.front().key) {
    const Unit unit = std::move(track.held.front());
    track.held.pop_front();
    held_bytes_ -= unit.bytes();
    lose(track, unit);
  }
}

void Segmenter::begin() {
  for (Place& track : tracks_) lose_undecodable(track);
  std::vector<std::size_t> tracks;
  std::int64_t start_ns = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    if (tracks_[i].held.empty()) continue;
    tracks.push_back(i);
    start_ns = std::min(start_ns, tracks_[i].held.front().time_ns);
  }
  if (tracks.empty()) return;
  current_ = files_.open(tracks, start_ns);
  start_ns_ = start_ns;
  for (const std::size_t i : tracks) {
    take_out(tracks_[i]);
    tracks_[i].in_file = true;
    tracks_[i].caps = tracks_[i].held.front().caps;
  }
}

/// Units of the reference go at once. What the reference has not reached yet waits: a cut may come before it.
bool Segmenter::may_go(std::size_t track) const {
  const std::optional<std::size_t> first = reference();
  return finishing_ || !first || *first == track ||
         tracks_[track].held.front().time_ns <= tracks_[*first].newest_ns;
}

/// Times of sound are rounded: by the middle of the unit.
bool Segmenter::begins_before(const Place& track, std::int64_t time_ns) {
  if (track.held.empty()) return false;
  const Unit& unit = track.held.front();
  return unit.time_ns + (track.video ? 0 : unit.duration_ns / 2) < time_ns;
}

void Segmenter::pump() {
  if (!current_) return;
  const std::optional<std::size_t> first = reference();
  while (first && !tracks_[*first].held.empty()) {
    // It may cut: what begins before it goes before it.
    const std::int64_t until_ns = tracks_[*first].held.front().time_ns;
    for (std::size_t i = 0; i < tracks_.size(); ++i)
      while (i != *first && begins_before(tracks_[i], until_ns)) place_next(i);
    place_next(*first);
  }
  for (std::size_t i = 0; i < tracks_.size(); ++i)
    while (!tracks_[i].held.empty() && may_go(i)) place_next(i);
  tell_of_absent();
  close_previous_if_passed();
}

/// The unit stays where it is when its file throws.
void Segmenter::place_next(std::size_t track) {
  Place& its = tracks_[track];
  const Unit unit = its.held.front();
  place(unit);
  held_bytes_ -= unit.bytes();
  its.held.pop_front();
}

bool Segmenter::is_due(const Unit& unit) const {
  if (previous_ && unit.time_ns <= start_ns_) return false;
  // A picture that has not reached this file would have no key frame in it.
  const bool one_is_late = std::any_of(tracks_.begin(), tracks_.end(),
                                       [](const Place& track) { return track.video && track.in_previous; });
  if (one_is_late && unit.time_ns - start_ns_ < kLongest * settings_.segment_ns) return false;
  const bool full = settings_.segment_bytes != 0 && current_->bytes() >= settings_.segment_bytes;
  // Times are rounded: half a frame before is there.
  return full || unit.time_ns + unit.duration_ns / 2 - start_ns_ >= settings_.segment_ns;
}

void Segmenter::place(const Unit& unit) {
  Place& track = tracks_[unit.track];
  const bool new_format = !track.in_file || !same(track.caps, unit.caps);
  if (track.video && !unit.key && (new_format || !track.begun)) return lose(track, unit);
  const std::optional<std::size_t> first = reference();
  const bool cuts = unit.key && (!first || *first == unit.track);
  if (new_format) {
    cut(unit.track, unit.time_ns);
  } else if (track.in_previous) {
    if (!begins_before(track, start_ns_) && unit.key) go_on_in_current(unit.track);
  } else if (cuts && is_due(unit)) {
    cut(unit.track, unit.time_ns);
  }
  track.caps = unit.caps;
  write(track, unit);
}

void Segmenter::go_on_in_current(std::size_t track) {
  tracks_[track].in_previous = false;
  previous_->leave(track);
}

void Segmenter::write(Place& place, const Unit& unit) {
  (place.in_previous ? previous_ : current_)->write(unit);
  place.begun = true;
  if (unit.key) place.asked = false;
}

/// A new file from `time_ns` on; `track` is in it at once, the others when they get there.
void Segmenter::cut(std::size_t track, std::int64_t time_ns) {
  close_previous();
  std::vector<std::size_t> tracks;
  const auto goes_on = [&](const Place& other) {
    return other.in_file && (other.present || !other.held.empty());
  };
  for (std::size_t i = 0; i < tracks_.size(); ++i)
    if (i == track || goes_on(tracks_[i])) tracks.push_back(i);
  std::unique_ptr<UnitFile> next = files_.open(tracks, time_ns);
  previous_ = std::exchange(current_, std::move(next));
  start_ns_ = time_ns;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    // The muxer of the file before waits no longer for what goes on in this one.
    if (tracks_[i].in_file && (i == track || !goes_on(tracks_[i]))) previous_->leave(i);
    if (i == track || !goes_on(tracks_[i])) take_out(tracks_[i]);
  }
  for (const std::size_t i : tracks) {
    tracks_[i].in_file = true;
    tracks_[i].in_previous = i != track && previous_;
    if (tracks_[i].in_previous && tracks_[i].video) ask_for_key_frame(i);
  }
}

void Segmenter::close_previous() {
  if (!previous_) return;
  for (Place& track : tracks_)
    if (std::exchange(track.in_previous, false)) track.begun = false;
  files_.close(std::move(previous_));
}

void Segmenter::close_previous_if_passed() {
  if (std::none_of(tracks_.begin(), tracks_.end(), [](const Place& track) { return track.in_previous; }))
    close_previous();
}

void Segmenter::finish() {
  if (!current_) begin();
  finishing_ = true;  // until it is done: whoever calls it again, after an error, means the same
  pump();
  close_previous();
  if (current_) files_.close(std::move(current_));
  for (Place& track : tracks_) {
    take_out(track);
    track.present = false;
  }
  first_seen_ns_.reset();  // what comes after this begins a file as the first unit did
  finishing_ = false;
}

std::vector<Unit> Segmenter::take_held() {
  std::vector<Unit> held;
  for (Place& track : tracks_) {
    std::move(track.held.begin(), track.held.end(), std::back_inserter(held));
    track.held.clear();
  }
  held_bytes_ = 0;
  return held;
}

void Segmenter::drop_files() {
  close_previous();
  if (current_) files_.close(std::move(current_));
  finishing_ = false;
  bool any = false;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    Place& track = tracks_[i];
    take_out(track);
    if (track.video && track.present) ask_for_key_frame(i);
    lose_undecodable(track);
    track.present = !track.held.empty();
    any = any || track.present;
  }
  if (!any) first_seen_ns_.reset();  // else the next look begins a file, and tells whether one can be
}

}  // namespace record
