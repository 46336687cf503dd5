#include "play/player.hpp"

#include <algorithm>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>

namespace record {
namespace {

// How much is read ahead for a stream of which nothing comes, before the others go on without it.
constexpr std::size_t kMostAhead_bytes = std::size_t{128} << 20;
constexpr std::int64_t kMostAhead_ns = 10'000'000'000;

// A decoder of sound begins a little before what is asked for.
constexpr std::int64_t kSeekBefore_ns = 1'000'000'000;

using Formats = std::vector<std::shared_ptr<const reel::Format>>;

Formats formats_of(const std::vector<FactsTrack>& tracks) {
  Formats formats;
  for (const FactsTrack& track : tracks)
    formats.push_back(track.format.empty()
                          ? nullptr
                          : std::make_shared<const reel::Format>(reel::Format::from_caps(track.format)));
  return formats;
}

LaneKind kind_of(const FactsTrack& track, bool encoded) {
  if (encoded) return LaneKind::encoded;
  return track.media == "audio" ? LaneKind::sound : LaneKind::pictures;
}

}  // namespace

Player::Player(Settings settings) : settings_(std::move(settings)) {
  const std::vector<FactsTrack> recorded = settings_.recording.streams();
  std::vector<std::string> names;
  for (const FactsTrack& track : recorded) names.push_back(track.stream);
  for (const std::string& stream : settings_.streams) {
    const auto found = std::find(names.begin(), names.end(), stream);
    if (found == names.end())
      throw reel::Error(reel::ErrorCode::bad_config, "the recording '" + settings_.recording.name +
                                                         "' has no stream '" + stream + "': it has " +
                                                         reel::join_or(names));
    const FactsTrack& track = recorded[static_cast<std::size_t>(found - names.begin())];
    heads_.push_back({make_lane(kind_of(track, settings_.encoded), stream, settings_.recording.cut), {}});
  }
}

std::shared_ptr<const reel::Format> Player::format(std::size_t index) {
  Head& head = heads_.at(index);
  if (fill(head)) return head.frame->format;
  if (settings_.encoded) return nullptr;
  for (const RecordedFile& file : settings_.recording.files) {
    const Formats formats = formats_of(file.tracks);
    for (std::size_t i = 0; i < formats.size(); ++i) {
      const bool raw = formats[i] && formats[i]->encoded() == nullptr;
      if (raw && file.tracks[i].stream == settings_.streams[index]) return formats[i];
    }
  }
  return nullptr;
}

std::optional<Player::Next> Player::next() {
  for (Head& head : heads_) (void)fill(head);
  Head* const first = earliest();
  if (first == nullptr) return std::nullopt;
  Next next{static_cast<std::size_t>(first - heads_.data()), std::move(*first->frame)};
  first->frame.reset();
  return next;
}

Player::Head* Player::earliest() {
  Head* first = nullptr;
  for (Head& head : heads_)
    if (head.frame && (first == nullptr || head.frame->media_ns < first->frame->media_ns)) first = &head;
  return first;
}

// Reads until the head has a frame. False where its stream is over, or away for so long that the others shall
// not wait.
bool Player::fill(Head& head) {
  while (!head.frame) {
    head.frame = head.lane->next();
    if (head.frame) break;
    if (head.lane->over()) return false;
    if (far_ahead()) {
      if (head.lane->settle()) continue;
      return false;
    }
    if (!read_on())
      for (Head& other : heads_) other.lane->finish();
  }
  return true;
}

bool Player::far_ahead() const {
  std::size_t bytes = 0;
  for (const Head& head : heads_) {
    if (!head.frame) continue;
    bytes += head.lane->queue().bytes();
    const std::int64_t last_ns = head.lane->queue().last_ns();
    if (last_ns != reel::kNoTime && last_ns - head.frame->media_ns > kMostAhead_ns) return true;
  }
  return bytes > kMostAhead_bytes;
}

// One unit to its lane; false where there are no more.
bool Player::read_on() {
  while (true) {
    if (!reader_ && !open_next()) return false;
    std::optional<Unit> unit = reader_->next();
    if (!unit) {
      close_file();
      continue;
    }
    const FileTrack& track = tracks_[unit->track];
    if (!track.lane) continue;
    unit->time_ns += origin_ns_;
    heads_[*track.lane].lane->push({std::move(*unit), track.video, track.published_as});
    return true;
  }
}

// False where there are no more. One that cannot be read is passed over, unless it is all there is: what its
// facts know of is lost then.
bool Player::open_next() {
  reader_.reset();
  while (!reader_ && next_file_ < settings_.recording.files.size()) {
    const RecordedFile& file = settings_.recording.files[next_file_++];
    try {
      reader_ = std::make_unique<UnitReader>(file.path);
    } catch (const reel::Error& error) {
      if (settings_.recording.files.size() == 1) throw;
      damage_.push_back(std::string(error.what()) + ": passed over");
    }
    origin_ns_ = file.origin_ns;
    if (!file.facts_path.empty()) take_facts(file);
    if (origin_ns_ == reel::kNoTime) origin_ns_ = 0;
    if (reader_) begin_file(file);
  }
  return reader_ != nullptr;
}

void Player::begin_file(const RecordedFile& file) {
  take_tracks(file);
  const std::int64_t from_ns = settings_.recording.cut.from_ns;
  if (from_ns > origin_ns_ + kSeekBefore_ns) reader_->seek(from_ns - origin_ns_ - kSeekBefore_ns);
}

// The n-th track of pictures in the facts is the n-th in the file; so for sound. Those that had nothing in
// this segment are not in the file.
void Player::take_tracks(const RecordedFile& file) {
  std::vector<FileTrack> pictures;
  std::vector<FileTrack> sounds;
  const Formats formats = formats_of(file.tracks);
  for (std::size_t i = 0; i < file.tracks.size(); ++i) {
    if (file.manifest && i < file.manifest->tracks.size() && file.manifest->tracks[i].frames == 0) continue;
    const bool video = file.tracks[i].media != "audio";
    const auto stream = std::find(settings_.streams.begin(), settings_.streams.end(), file.tracks[i].stream);
    FileTrack track{std::nullopt, video, formats[i]};
    if (stream != settings_.streams.end())
      track.lane = static_cast<std::size_t>(stream - settings_.streams.begin());
    (video ? pictures : sounds).push_back(std::move(track));
  }
  tracks_.clear();
  std::size_t picture = 0;
  std::size_t sound = 0;
  for (const UnitReader::TrackInfo& info : reader_->tracks()) {
    const std::vector<FileTrack>& known = info.video ? pictures : sounds;
    std::size_t& next = info.video ? picture : sound;
    tracks_.push_back(next < known.size() ? known[next] : FileTrack{});
    ++next;
  }
}

void Player::take_facts(const RecordedFile& file) {
  std::vector<std::vector<FrameFacts>> facts(heads_.size());
  FactsReader reader(file.facts_path);
  std::int64_t first_ns = reel::kNoTime;
  while (std::optional<FrameFacts> line = reader.next()) {
    if (first_ns == reel::kNoTime || line->media_ns < first_ns) first_ns = line->media_ns;
    const std::string& name = reader.tracks()[line->track].stream;
    const auto stream = std::find(settings_.streams.begin(), settings_.streams.end(), name);
    if (stream != settings_.streams.end())
      facts[static_cast<std::size_t>(stream - settings_.streams.begin())].push_back(std::move(*line));
  }
  if (origin_ns_ == reel::kNoTime) origin_ns_ = first_ns;
  for (std::size_t i = 0; i < heads_.size(); ++i) heads_[i].lane->add_facts(std::move(facts[i]));
}

void Player::close_file() {
  if (!reader_->fault().empty())
    damage_.push_back(settings_.recording.files[next_file_ - 1].path +
                      " was played as far as it can be read: " + reader_->fault());
  reader_.reset();
}

std::vector<std::string> Player::complaints() const {
  std::vector<std::string> complaints = damage_;
  for (const Head& head : heads_)
    if (head.lane->lost() != 0)
      complaints.push_back("stream " + head.lane->stream() + ": " + std::to_string(head.lane->lost()) +
                           " frames that the recording knows of are not in its files");
  return complaints;
}

}  // namespace record
