#include "recorder/recorder.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

#include "catalog/segment_name.hpp"
#include "events/finished_hook.hpp"
#include "recorder/event_pictures.hpp"
#include "recorder/left_off.hpp"

namespace record {
namespace {

using reel::ErrorCode;

constexpr std::int64_t kScheduleInterval_ns = 1'000'000'000;
constexpr std::int64_t kSaveInterval_ns = 2'000'000'000;
constexpr std::int64_t kGiveUp_ns = 2'000'000'000;       // at the end, on a disk that is full
constexpr std::int64_t kEncoderTold_ns = 5'000'000'000;  // it may fail with each frame
constexpr const char* kSlow = "encoder or disk were too slow, and the spool was full";
constexpr const char* kFailing = "files could not be written, and the spool was full";
constexpr const char* kFull = "the disk was full, and the spool as well";

[[nodiscard]] StoreOptions store_options(const RecordSettings& settings) {
  return {settings.directory, true, settings.require_mount};
}

/// Those of the class `event` alone take the place of the general ones for it.
[[nodiscard]] std::vector<RetentionRule> rules_of(const RecordSettings& settings) {
  const bool apart = settings.event_max_age_ns != 0 || settings.event_max_bytes != 0;
  RetentionRule general;
  general.recording = settings.name;
  if (apart) general.kind = SegmentClass::continuous;
  general.max_age_ns = settings.max_age_ns;
  general.max_bytes = settings.max_bytes;
  RetentionRule events;
  events.recording = settings.name;
  events.kind = SegmentClass::event;
  events.max_age_ns = settings.event_max_age_ns;
  events.max_bytes = settings.event_max_bytes;
  RetentionRule room;
  room.recording = settings.name;
  room.min_free = settings.min_free;
  std::vector<RetentionRule> rules{general, events, room};
  std::erase_if(rules, [](const RetentionRule& rule) {
    return rule.max_age_ns == 0 && rule.max_bytes == 0 && rule.min_free == 0;
  });
  return rules;
}

[[nodiscard]] Closer::Settings closer_settings(const RecordSettings& settings) {
  Closer::Settings made;
  made.sync_interval_ns = settings.sync_interval_ns;
  made.rules = rules_of(settings);
  if (!settings.hook.empty()) {
    FinishedHook::Settings hook_settings;
    hook_settings.program = settings.hook;
    hook_settings.timeout_ns = settings.hook_timeout_ns;
    made.on_finished = [hook = std::make_shared<FinishedHook>(hook_settings)](const std::string& file) {
      hook->run(file, manifest_path_of(file));
    };
  }
  return made;
}

[[nodiscard]] Segmenter::Settings segmenter_settings(const RecordSettings& settings) {
  Segmenter::Settings made;
  made.segment_ns = settings.segment_ns;
  made.segment_bytes = settings.segment_bytes;
  made.patience_ns = settings.patience_ns;
  made.begin_ns = 2 * settings.patience_ns;
  return made;
}

/// The newest segment under this name, one that was left open included.
[[nodiscard]] std::optional<SegmentRecord> newest_of(Catalog& catalog, const std::string& name,
                                                     const std::vector<Abandoned>& left) {
  std::optional<SegmentRecord> newest = catalog.newest(name);
  for (const Abandoned& file : left)
    if (file.manifest && (!newest || file.record.end_ns > newest->end_ns)) newest = file.record;
  return newest;
}

[[nodiscard]] std::optional<Track> track_of(const std::optional<SegmentRecord>& record,
                                            const std::string& stream) {
  if (!record) return std::nullopt;
  for (const Track& track : record->tracks)
    if (track.stream == stream) return track;
  return std::nullopt;
}

/// Number of the next frame of a stream that `last` is the newest track of.
[[nodiscard]] std::uint64_t next_frame(const std::optional<Track>& last, const std::vector<LeftOff>& known) {
  if (!last) return 0;
  for (const LeftOff& stream : known)
    if (stream.stream == last->stream) return stream.next_frame;
  return last->first_frame + last->frames;
}

}  // namespace

Recorder::Recorder(const RecordSettings& settings, const std::vector<std::string>& streams, Numbers numbers)
    : settings_(settings),
      numbers_(std::move(numbers)),
      catalog_(store_options(settings)),
      lock_(catalog_.store().lock(settings.name)),
      spool_({settings.spool_memory, settings.spool_disk, settings.spool_directory}, streams.size()),
      closer_(catalog_, closer_settings(settings)),
      times_(streams.size(), std::nullopt),
      segmenter_(segmenter_settings(settings), std::vector<bool>(streams.size()), *this),
      events_(settings, segmenter_settings(settings), streams.size(), times_, links()) {
  check_wish(settings.wish, settings.container);
  std::vector<Abandoned> left = catalog_.abandoned(settings.name);
  for (Abandoned& file : left)
    if (file.manifest) bring_up_to_date(file.record, left_off(frames_path_of(file.file)));
  last_ = newest_of(catalog_, settings.name, left);
  std::vector<LeftOff> known;
  if (last_) known = left_off(catalog_.store().whole_path(frames_path_of(last_->path)));
  closer_.repair(std::move(left));
  times_ = TimeLine(streams.size(), last_);
  facts_.resize(streams.size());
  for (std::size_t i = 0; i < streams.size(); ++i) {
    facts_[i].stream = streams[i];
    const std::optional<Track> last = track_of(last_, streams[i]);
    first_frames_.push_back(next_frame(last, known));
    lines_.emplace_back(
        Line::Settings{i, streams[i], settings.wish, settings.container, settings.patience_ns, last}, times_,
        gaps_, facts_[i]);
  }
  thread_ = std::thread([this] { run(); });
}

Recorder::~Recorder() {
  finish();
}

EventRecording::Recorder Recorder::links() {
  EventRecording::Recorder made;
  made.continuous = [this](const Unit& unit) { write([&] { segmenter_.push(unit, reel::monotonic_ns()); }); };
  made.write = [this](const std::function<void()>& action) { write(action); };
  made.open = [this](const std::vector<std::size_t>& tracks, std::int64_t start_ns,
                     std::vector<TrackFacts>& facts) {
    return open_file(SegmentClass::event, tracks, start_ns, facts);
  };
  made.close = [this](std::unique_ptr<SegmentFile> file) { close_file(std::move(file)); };
  made.want_key_frame = [this](std::size_t track) { want_key_frame(track); };
  return made;
}

void Recorder::finish() {
  spool_.close();
  if (thread_.joinable()) thread_.join();
}

void Recorder::check() {
  const std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

void Recorder::run() noexcept {
  try {
    work();
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
}

void Recorder::work() {
  std::optional<std::int64_t> until_ns;  // once recording ends
  while (!spool_.finished()) {
    tell(reel::monotonic_ns());
    if (full_ || failing_) {
      wait_for_room();
      const std::int64_t now_ns = reel::monotonic_ns();
      if (spool_.closed() && !until_ns) until_ns = now_ns + kGiveUp_ns;
      if (until_ns && now_ns >= *until_ns && (full_ || failing_)) break;
      continue;
    }
    if (std::optional<SpooledFrame> frame = spool_.take(50)) handle(std::move(*frame));
    collect();
    upkeep(reel::monotonic_ns());
  }
  end();
}

void Recorder::handle(SpooledFrame frame) {
  Line& line = lines_[frame.input];
  const std::size_t input = frame.input;
  const bool left_out = asleep(reel::monotonic_ns());
  switch (frame.kind) {
    case SpooledFrame::Kind::lost:
      if (!left_out) line.lost(frame);
      return;
    case SpooledFrame::Kind::ended:
      give(line.drain());
      write([&] { segmenter_.leave(input); });
      events_.leave(input);
      return;
    case SpooledFrame::Kind::frame:
      if (left_out) return;
      break;
  }
  try {
    const std::size_t facts = facts_[input].waiting.size();
    std::vector<Unit> units = line.push(std::move(frame));
    segmenter_.set_video(input, facts_[input].video);
    if (facts_[input].waiting.size() > facts) events_.look(input, facts_[input]);
    give(std::move(units));
  } catch (const reel::Error& error) {
    if (error.code() == ErrorCode::bad_config || error.code() == ErrorCode::unsupported) throw;
    encoder_failed(line, error);
  }
}

/// The next frame begins a new one.
void Recorder::encoder_failed(Line& line, const reel::Error& error) {
  const std::int64_t now_ns = reel::monotonic_ns();
  if (now_ns - encoder_told_ns_ > kEncoderTold_ns) {
    encoder_told_ns_ = now_ns;
    reel::log_error(error.what());
  }
  line.fail("the encoder failed");
}

void Recorder::collect() {
  for (Line& line : lines_) {
    try {
      give(line.take());
    } catch (const reel::Error& error) {
      encoder_failed(line, error);
    }
  }
}

void Recorder::give(std::vector<Unit> units) {
  for (const Unit& unit : units) events_.push(unit);
}

template <class Action>
void Recorder::write(Action action) {
  try {
    action();
  } catch (const DiskFull&) {
    if (!full_ && !told_)
      reel::log_error("the disk of " + settings_.directory +
                      " is full: frames wait in the spool until there is room, then the newest are lost");
    full_ = told_ = true;
    spool_.set_reason(kFull);
  } catch (const reel::Error& error) {
    if (!failing_ && !told_) reel::log_error(std::string(error.what()) + "; it is tried again in a new file");
    failing_ = told_ = true;
    spool_.set_reason(kFailing);
    segmenter_.drop_files();
    events_.drop_files();
    current_ = nullptr;
  }
}

void Recorder::wait_for_room() {
  if (full_) closer_.make_room();
  std::this_thread::sleep_for(std::chrono::milliseconds(failing_ ? 500 : 100));
  full_ = failing_ = false;
  write([&] { segmenter_.tick(reel::monotonic_ns()); });
  events_.tick_files(reel::monotonic_ns());
  if (full_ || failing_) return;
  told_ = false;
  spool_.set_reason(kSlow);
  reel::log_info("the disk of " + settings_.directory + " has room again, and recording goes on");
}

std::unique_ptr<UnitFile> Recorder::open(const std::vector<std::size_t>& tracks, std::int64_t start_ns) {
  std::unique_ptr<SegmentFile> file = open_file(SegmentClass::continuous, tracks, start_ns, facts_);
  current_ = file.get();
  return file;
}

std::unique_ptr<SegmentFile> Recorder::open_file(SegmentClass kind, const std::vector<std::size_t>& tracks,
                                                 std::int64_t start_ns, std::vector<TrackFacts>& facts) {
  const ClockPair clocks = times_.clocks_at(start_ns);
  SegmentRecord record;
  record.recording = settings_.name;
  record.kind = kind;
  record.container = std::string(to_string(settings_.container));
  record.start_ns = record.end_ns = start_ns;
  record.start_utc_ns = record.end_utc_ns = clocks.utc_ns;
  record.clocks.push_back(clocks);
  try {
    OpenSegment open = catalog_.begin(record);
    auto file = std::make_unique<SegmentFile>(std::move(open), std::move(record), tracks, facts);
    closer_.keep_safe(file->open_file());
    saved_ns_ = 0;
    return file;
  } catch (const reel::Error&) {
    // A disk so full that not even a manifest goes on it.
    if (catalog_.store().free_bytes() < 64 * 1024) throw DiskFull();
    throw;
  }
}

void Recorder::close(std::unique_ptr<UnitFile> unit_file) {
  std::unique_ptr<SegmentFile> file(static_cast<SegmentFile*>(unit_file.release()));
  if (current_ == file.get()) current_ = nullptr;
  close_file(std::move(file));
}

void Recorder::close_file(std::unique_ptr<SegmentFile> file) {
  if (ending_) file->write_last_facts();
  SegmentRecord& record = file->record();
  record.clocks.push_back(times_.clocks_at(record.end_ns));
  numbers_.closed_file(file.get(), file->bytes());
  record.events = events_.marks(record.start_ns, record.end_ns);
  if (record.kind == SegmentClass::continuous || settings_.mode == RecordMode::events) {
    record.gaps = gaps_.take_before(record.end_ns);
    std::erase_if(record.gaps, [&](const Gap& gap) { return gap.end_ns < record.start_ns; });
  }
  closer_.finish(std::move(file));
}

void Recorder::want_key_frame(std::size_t track) {
  lines_[track].ask_for_key_frame();
}

void Recorder::upkeep(std::int64_t now_ns) {
  write([&] { segmenter_.tick(now_ns); });
  events_.tick(now_ns);
  static_cast<void>(asleep(now_ns));  // though no frame comes: files end when the schedule says so
  if (now_ns - saved_ns_ < kSaveInterval_ns) return;
  saved_ns_ = now_ns;
  if (current_ != nullptr) save(*current_);
  if (events_.current() != nullptr) save(*events_.current());
}

void Recorder::save(SegmentFile& file) {
  SegmentRecord record = file.record();
  if (record.end_ns == record.start_ns) return;  // nothing in it yet
  record.events = events_.marks(record.start_ns, record.end_ns);
  if (&file == current_) record.gaps = gaps_.before(record.end_ns);  // for the repair, should it come to that
  std::erase_if(record.tracks, [](const Track& track) { return track.frames == 0; });
  try {
    catalog_.save(record);
  } catch (const reel::Error& error) {
    reel::log_warning(std::string("the manifest of the open segment: ") + error.what());
  }
}

/// What comes while the schedule says that nothing is recorded is left out; files end with the time before.
bool Recorder::asleep(std::int64_t now_ns) {
  if (now_ns - looked_at_ns_ < kScheduleInterval_ns) return asleep_;
  looked_at_ns_ = now_ns;
  const bool asleep = !settings_.schedule.active(reel::realtime_ns());
  if (asleep == asleep_) return asleep_;
  asleep_ = asleep;
  reel::log_info(asleep ? "the schedule says that nothing is recorded from now on"
                        : "the schedule says that recording goes on");
  if (!asleep) return asleep_;
  drain_lines();
  events_.finish();
  write([&] { segmenter_.finish(); });
  return asleep_;
}

void Recorder::tell(std::int64_t now_ns) {
  if (!numbers_.due(now_ns)) return;
  numbers_.spool(spool_.counts());
  try {
    numbers_.disk(catalog_.store().free_bytes(), !full_ && !failing_);
  } catch (const reel::Error&) {
    numbers_.disk(0, false);  // it is away: whoever writes next says so
  }
  SegmentFile* open = open_now();
  if (open == nullptr) {
    numbers_.no_open_file();
    return;
  }
  const SegmentRecord& record = open->record();
  numbers_.open_file(open, open->bytes(), record.end_ns - record.start_ns);
}

void Recorder::drain_lines() {
  for (Line& line : lines_) {
    try {
      give(line.drain());
    } catch (const reel::Error& error) {
      reel::log_error(error.what());
    }
  }
}

void Recorder::end() {
  ending_ = true;
  drain_lines();
  events_.finish();
  const std::int64_t until_ns = reel::monotonic_ns() + kGiveUp_ns;
  const auto finish = [this] {
    write([this] { segmenter_.finish(); });
    events_.tick_files(reel::monotonic_ns());
    full_ = full_ || !spool_.finished();  // what waits there came too late, and is to be told of
  };
  finish();
  while ((full_ || failing_) && reel::monotonic_ns() < until_ns) {
    closer_.make_room();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    full_ = failing_ = false;
    finish();
  }
  numbers_.spool(spool_.counts());
  if (full_ || failing_) give_up();
}

/// Recording ends and the disk takes nothing: what is left is lost, and said to be in the segment that ends
/// here.
void Recorder::give_up() {
  std::uint64_t lost = 0;
  const auto lose = [&](std::size_t track, std::uint64_t frames) {
    lost += frames;
    gaps_.add({facts_[track].stream, current_end_ns(), current_end_ns(), frames, full_ ? kFull : kFailing});
  };
  while (const std::optional<SpooledFrame> frame = spool_.take(0)) {
    if (frame->kind == SpooledFrame::Kind::frame) lose(frame->input, 1);
    if (frame->kind == SpooledFrame::Kind::lost) lose(frame->input, frame->lost);
  }
  for (const Unit& unit : segmenter_.take_held()) lose(unit.track, 1);
  for (const Unit& unit : events_.take_held()) lose(unit.track, 1);
  reel::log_error(std::to_string(lost) + " frames that were not written when recording ended are lost");
  write([&] { segmenter_.finish(); });
  events_.tick_files(reel::monotonic_ns());
}

std::int64_t Recorder::current_end_ns() {
  SegmentFile* open = open_now();
  return open != nullptr ? open->record().end_ns - 1 : 0;
}

}  // namespace record
