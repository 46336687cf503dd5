#include "recorder/segment_file.hpp"

#include <algorithm>
#include <utility>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

#include "media/coding.hpp"

namespace record {
namespace {

/// For what a muxer writes at the end, and for the manifest, which takes the room that the file gives back.
constexpr std::uint64_t kReserve = 512 * 1024;
/// Of media time, which what was written may wait for a track without being on the disk.
constexpr std::int64_t kLead_ns = 500'000'000;

[[nodiscard]] Mux::Settings mux_settings(const OpenSegment& open, const SegmentRecord& record,
                                         std::size_t tracks) {
  Mux::Settings settings;
  settings.container = container_from(record.container);
  settings.tracks = tracks;
  settings.where = open.file;
  return settings;
}

[[nodiscard]] std::string caps_text(const GstCaps* caps) {
  if (caps == nullptr) return {};
  const reel::gst::Ptr<GstCaps> plain(gst_caps_copy(caps));
  GstStructure* structure = gst_caps_get_structure(plain.get(), 0);
  gst_structure_remove_fields(structure, "codec_data", "streamheader", nullptr);
  return reel::gst::Text(gst_caps_to_string(plain.get())).get();
}

[[nodiscard]] std::vector<FactsTrack> facts_tracks(const std::vector<std::size_t>& tracks,
                                                   const std::vector<TrackFacts>& facts) {
  std::vector<FactsTrack> made;
  for (const std::size_t track : tracks)
    made.push_back({facts[track].stream, facts[track].video ? "video" : "audio", facts[track].format});
  return made;
}

}  // namespace

void forget_up_to(TrackFacts& facts, std::uint64_t frame) {
  while (!facts.waiting.empty() && facts.waiting.front().frame <= frame) facts.waiting.pop_front();
}

SegmentFile::SegmentFile(OpenSegment open, SegmentRecord record, std::vector<std::size_t> tracks,
                         std::vector<TrackFacts>& facts, GapBook& gaps, Syncer& syncer)
    : file_(std::make_shared<SyncedFile>(std::move(open.fd), open.file)),
      record_(std::move(record)),
      tracks_(std::move(tracks)),
      begun_(tracks_.size()),
      left_(tracks_.size()),
      facts_(facts),
      gaps_(gaps),
      room_(file_->descriptor()),
      sink_(file_->descriptor(), *backlog_),
      mux_(mux_settings(open, record_, tracks_.size()), sink_),
      facts_file_(open.frames_file),
      syncer_(syncer),
      path_(open.file) {
  syncer_.add(file_);
  record_.tracks.resize(tracks_.size());
  facts_file_.add(facts_header(facts_tracks(tracks_, facts_)));
}

std::size_t SegmentFile::index_of(std::size_t track) const {
  return static_cast<std::size_t>(std::find(tracks_.begin(), tracks_.end(), track) - tracks_.begin());
}

void SegmentFile::write(const Unit& unit) {
  if (!room_.ensure(bytes() + unit.bytes() + kReserve)) throw DiskFull();
  const std::size_t index = index_of(unit.track);
  Unit ours = unit;
  ours.track = index;
  mux_.write(ours);
  keep_in_lead(ours);
  // What waits for a track is nothing that the disk is behind with.
  waiting_bytes_ += unit.bytes();
  if (mux_.origin_ns())
    backlog_->given.fetch_add(std::exchange(waiting_bytes_, 0), std::memory_order_relaxed);
  count(record_.tracks[index], unit);
  begun_[index] = true;
  write_facts(index, [&](const FrameFacts& facts) { return facts.frame <= unit.frame; });
}

void SegmentFile::keep_in_lead(const Unit& unit) {
  if (mux_.origin_ns()) {  // it waits no longer
    waiting_.clear();
    return;
  }
  waiting_.push_back(unit);
  with_lead([&] { add_to_lead(unit); });
}

/// It is for the case of a kill alone: recording goes on without it.
template <typename Action>
void SegmentFile::with_lead(Action action) {
  if (no_lead_) return;
  try {
    action();
  } catch (const reel::Error& error) {
    no_lead_ = true;
    reel::log_warning(std::string(error.what()) +
                      "; what comes before the first key frame of each stream of " + path_ +
                      " is lost if the recorder is killed");
  }
}

void SegmentFile::add_to_lead(const Unit& unit) {
  if (!leads_.empty() && leads_.back()->has(unit.track)) return leads_.back()->write(unit);
  if (unit.decode_ns - waiting_.front().decode_ns < kLead_ns) return;
  leads_.push_back(std::make_unique<LeadFile>(path_, container_from(record_.container), waiting_));
  syncer_.add(leads_.back()->synced());
  for (std::size_t track = 0; track < left_.size(); ++track)
    if (left_[track]) leads_.back()->leave(track);
}

void SegmentFile::count(Track& track, const Unit& unit) {
  const std::int64_t end_ns = unit.time_ns + unit.duration_ns;
  if (track.frames++ == 0) {
    const TrackFacts& facts = facts_[unit.track];
    track.stream = facts.stream;
    track.media = facts.video ? "video" : "audio";
    track.codec = codec_of(unit.caps.get());
    track.caps = caps_text(unit.caps.get());
    track.first_frame = unit.frame;
    track.start_ns = unit.time_ns;
    track.end_ns = end_ns;
  }
  track.start_ns = std::min(track.start_ns, unit.time_ns);
  track.end_ns = std::max(track.end_ns, end_ns);
  const std::int64_t before_ns = record_.start_ns;
  record_.start_ns = any_ ? std::min(record_.start_ns, track.start_ns) : track.start_ns;
  record_.end_ns = any_ ? std::max(record_.end_ns, track.end_ns) : track.end_ns;
  // The wall clock was read when it was opened, for the time that it was to begin at.
  record_.start_utc_ns += record_.start_ns - before_ns;
  record_.end_utc_ns = record_.start_utc_ns + (record_.end_ns - record_.start_ns);
  any_ = true;
}

template <typename IsOurs>
void SegmentFile::write_facts(std::size_t index, IsOurs&& is_ours) {
  TrackFacts& track = facts_[tracks_[index]];
  std::string lines;
  while (!track.waiting.empty() && is_ours(track.waiting.front())) {
    FrameFacts& facts = track.waiting.front();
    facts.track = index;
    facts.utc_ns = record_.start_utc_ns + (facts.media_ns - record_.start_ns);
    for (Gap& gap : gaps_.untold(track.stream, facts.media_ns))
      facts.lost.push_back({gap.start_ns, gap.end_ns, gap.frames, std::move(gap.reason)});
    lines += facts_line(facts);
    sightings_.add(track.stream, facts.media_ns, facts.side());
    track.waiting.pop_front();
  }
  if (lines.empty()) return;
  facts_file_.add(lines);
  record_.sightings = sightings_.all();
}

void SegmentFile::write_last_facts() {
  for (std::size_t i = 0; i < tracks_.size(); ++i)
    if (begun_[i])
      write_facts(i, [&](const FrameFacts& facts) { return facts.media_ns < record_.tracks[i].end_ns; });
}

void SegmentFile::leave(std::size_t track) {
  const std::size_t index = index_of(track);
  if (index == tracks_.size() || left_[index]) return;
  left_[index] = true;
  mux_.leave(index);
  if (!leads_.empty()) with_lead([&] { leads_.back()->leave(index); });
}

bool SegmentFile::finish() {
  if (!any_) return false;
  std::erase_if(record_.tracks, [](const Track& track) { return track.frames == 0; });
  for (std::size_t i = 0; i < tracks_.size(); ++i)
    if (!begun_[i]) leave(tracks_[i]);
  mux_.finish();
  room_.trim();
  facts_file_.finish();  // into what was set free
  if (!file_->sync())
    throw reel::Error(reel::ErrorCode::io, "what was recorded did not all reach the disk", record_.path);
  for (const auto& lead : leads_) lead->remove();
  record_.state = SegmentState::finished;
  return true;
}

}  // namespace record
