#include "recorder/recorder.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

#include "catalog/segment_name.hpp"
#include "media/apart.hpp"
#include "recorder/boot_id.hpp"
#include "recorder/event_pictures.hpp"
#include "recorder/limits.hpp"
#include "recorder/part_settings.hpp"

namespace record {
namespace {

using reel::ErrorCode;

constexpr int kWait_ms = 50;
constexpr std::int64_t kScheduleInterval_ns = 1'000'000'000;
constexpr std::int64_t kSaveInterval_ns = 2'000'000'000;
constexpr std::int64_t kGiveUp_ns = 2'000'000'000;       // at the end, on a disk that is full
constexpr std::int64_t kEncoderTold_ns = 5'000'000'000;  // it may fail with each frame
constexpr const char* kSlow = "encoder or disk were too slow, and the spool was full";
constexpr const char* kHung = "the encoder hung";
constexpr const char* kNoKeyFrame = "what came before its first key frame cannot be decoded";
constexpr const char* kFailing = "files could not be written, and the spool was full";
constexpr const char* kFull = "the disk was full, and the spool as well";

}  // namespace

Recorder::Recorder(const RecordSettings& settings, const std::vector<std::string>& streams, Numbers numbers)
    : settings_(settings),
      numbers_(std::move(numbers)),
      catalog_(store_options(settings)),
      lock_(catalog_.store().lock(settings.name)),
      spool_({settings.spool_memory, settings.spool_disk, settings.spool_directory}, streams.size()),
      closer_(catalog_, closer_settings(settings)),
      syncer_(settings.sync_interval_ns),
      times_(streams.size(), std::nullopt),
      gaps_(settings.mode == RecordMode::continuous ? nullptr : &event_gaps_),
      segmenter_(segmenter_settings(settings), std::vector<bool>(streams.size()), *this),
      events_(settings, segmenter_settings(settings), streams.size(), times_, links()) {
  check_wish(settings.wish, settings.container);
  std::vector<Abandoned> left = catalog_.abandoned(settings.name);
  resumed_ = resume(catalog_, settings, streams, left);
  closer_.repair(std::move(left));
  times_ = TimeLine(streams.size(), resumed_.last);
  facts_.resize(streams.size());
  for (std::size_t i = 0; i < streams.size(); ++i) {
    facts_[i].stream = streams[i];
    lines_.emplace_back(line_settings(i, streams[i]), times_, gaps_, facts_[i]);
  }
  thread_ = std::thread([this] { run(); });
}

Recorder::~Recorder() {
  finish();
}

Line::Settings Recorder::line_settings(std::size_t input, const std::string& stream) {
  Line::Settings made;
  made.track = input;
  made.stream = stream;
  made.wish = settings_.wish;
  made.container = settings_.container;
  made.away_ns = settings_.patience_ns;
  made.encoder_timeout_ns = settings_.encoder_timeout_ns;
  made.end_ns = resumed_.streams[input].end_ns;
  made.on_facts = [this, input](FrameFacts facts) {
    if (settings_.mode != RecordMode::continuous) events_.add_facts(input, facts);
    if (settings_.mode != RecordMode::events) facts_[input].waiting.push_back(std::move(facts));
  };
  made.on_failure = [this](const reel::Error& error) { encoder_failed(error); };
  made.on_lost = [this](std::uint64_t frames) { spool_.count_lost(frames); };
  return made;
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
  made.lose = [this](const Unit& unit) { lose(unit); };
  made.tell = [this](const EventChange& change) { numbers_.event(change); };
  return made;
}

void Recorder::finish() {
  spool_.close();
  if (thread_.joinable()) thread_.join();
}

void Recorder::wait_for_files() {
  closer_.wait();
  if (!thread_.joinable()) numbers_.spool(counts());  // else that is for the thread
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
  std::int64_t stuck_ns = 0;  // CLOCK_MONOTONIC, once nothing more comes and nothing can be written
  while (!spool_.finished() && !hopeless_) {
    tell(reel::monotonic_ns());
    if (full_ || failing_) {
      wait_for_room();
      const bool stuck = spool_.closed() && (full_ || failing_);
      stuck_ns = !stuck ? 0 : stuck_ns != 0 ? stuck_ns : reel::monotonic_ns();
      if (stuck && reel::monotonic_ns() - stuck_ns > kGiveUp_ns) break;
      continue;
    }
    // An encoder that is slow or hangs does not keep the rest of this waiting.
    const std::optional<std::size_t> input = spool_.next(kWait_ms);
    if (input && lines_[*input].wait_for_room(kWait_ms))
      if (std::optional<SpooledFrame> frame = spool_.take(0)) handle(std::move(*frame));
    for (Line& line : lines_) give(line.take());
    upkeep(reel::monotonic_ns());
  }
  const std::optional<reel::Error> hopeless = hopeless_;  // not what only ended with the recording
  if (hopeless) lose_the_rest();
  end();
  if (hopeless) throw *hopeless;
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
      line.end();
      write([&] { segmenter_.leave(input); });
      write([&] { events_.leave(input); });
      return;
    case SpooledFrame::Kind::frame:
      if (left_out) return;
      break;
  }
  const std::uint64_t number = frame.number;
  std::vector<Unit> units = line.push(std::move(frame));
  segmenter_.set_video(input, facts_[input].video);
  if (const FrameFacts* facts = line.facts_of_last(number)) events_.look(input, facts_[input], *facts);
  give(std::move(units));
}

void Recorder::encoder_failed(const reel::Error& error) {
  if (error.code() == ErrorCode::bad_config || error.code() == ErrorCode::unsupported) return;
  const std::int64_t now_ns = reel::monotonic_ns();
  if (now_ns - encoder_told_ns_ > kEncoderTold_ns) {
    encoder_told_ns_ = now_ns;
    reel::log_error(std::string(error.what()) + "; what is in it is lost, and another one begins");
  }
  if (left_behind() > kMostLeftBehind)
    hopeless_.emplace(ErrorCode::io,
                      std::to_string(left_behind()) +
                          " encoders hang and cannot be stopped, more than a process can bear: see to their "
                          "driver, or record with another codec; the last one: " +
                          error.what());
}

/// What waits for encoders that there will not be.
void Recorder::lose_the_rest() {
  while (std::optional<SpooledFrame> frame = spool_.take(0)) {
    if (frame->kind == SpooledFrame::Kind::ended) continue;
    if (frame->kind == SpooledFrame::Kind::frame) {
      frame->lost = 1;
      frame->reason = kHung;
      spool_.count_lost(1);
    }
    lines_[frame->input].lost(*frame);
  }
}

void Recorder::give(std::vector<Unit> units) {
  for (const Unit& unit : units) {
    backlog_.wait();
    events_.push(unit);
  }
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
    drop_files();
  }
}

/// What can be finished or repaired of them will be.
void Recorder::drop_files() {
  dropped_ = dropping_ = true;
  segmenter_.drop_files();
  events_.drop_files();
  dropping_ = false;
}

void Recorder::wait_for_room() {
  if (full_) closer_.make_room();
  std::this_thread::sleep_for(std::chrono::milliseconds(failing_ ? 500 : 100));
  if (failing_ && !can_write()) return;
  full_ = failing_ = false;
  write([&] { segmenter_.tick(reel::monotonic_ns()); });
  events_.tick_files(reel::monotonic_ns());
  // Where files were dropped only a new one that is written shows that it works.
  if (!full_ && !failing_ && !dropped_) go_on(" has room again, and recording goes on");
}

void Recorder::go_on(const char* why) {
  told_ = dropped_ = false;
  spool_.set_reason(kSlow);
  reel::log_info("the disk of " + settings_.directory + why);
}

bool Recorder::can_write() const {
  try {
    catalog_.store().try_to_write(settings_.name);
    return true;
  } catch (const reel::Error&) {
    return false;
  }
}

std::unique_ptr<UnitFile> Recorder::open(const std::vector<std::size_t>& tracks, std::int64_t start_ns) {
  std::unique_ptr<SegmentFile> file = open_file(SegmentClass::continuous, tracks, start_ns, facts_);
  current_ = file.get();
  return file;
}

std::unique_ptr<SegmentFile> Recorder::open_file(SegmentClass kind, const std::vector<std::size_t>& tracks,
                                                 std::int64_t start_ns, std::vector<TrackFacts>& facts) {
  const ClockPair clocks = times_.clocks_at(start_ns);
  Abandoned left;
  SegmentRecord record;
  record.recording = settings_.name;
  record.kind = kind;
  record.container = std::string(to_string(settings_.container));
  record.start_ns = record.end_ns = start_ns;
  record.start_utc_ns = record.end_utc_ns = clocks.utc_ns;
  record.clocks.push_back(clocks);
  record.boot = boot_id();
  try {
    OpenSegment open = catalog_.begin(record);
    left.record = record;
    auto file = std::make_unique<SegmentFile>(std::move(open), std::move(record), tracks, facts,
                                              book_of(kind), syncer_);
    // Of the time before an event nothing was wanted.
    if (kind == SegmentClass::event && events_.current() == nullptr && !events_.goes_on())
      event_gaps_.forget_untold(start_ns);
    backlog_.add(file->backlog());
    closer_.retry_now();
    saved_ns_ = 0;
    return file;
  } catch (const reel::Error&) {
    if (!left.record.path.empty()) closer_.repair({left});  // nothing is in it: it is removed
    if (no_room_at_all()) throw DiskFull();
    throw;
  }
}

/// A disk so full that not even a manifest goes on it.
bool Recorder::no_room_at_all() const {
  try {
    return catalog_.store().free_bytes() < 64 * 1024;
  } catch (const reel::Error&) {
    return false;  // it is away
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
  if (dropping_)
    numbers_.dropped_file(file.get(), file->bytes());
  else
    numbers_.closed_file(file.get(), file->bytes());
  mark(record, true);
  closed_ns_ = record.end_ns;
  if (!record.gaps.empty()) save(record);  // they are in the book no more, and it may take long to finish
  closer_.finish(std::move(file), dropping_);
}

void Recorder::lose(const Unit& unit) {
  TrackFacts& facts = facts_[unit.track];
  forget_up_to(facts, unit.frame);
  gaps_.add({facts.stream, unit.time_ns, unit.time_ns + unit.duration_ns, 1, kNoKeyFrame});
  spool_.count_lost(1);
}

Spool::Counts Recorder::counts() const {
  Spool::Counts counts = spool_.counts();
  counts.lost += closer_.lost_frames();
  return counts;
}

/// Events and gaps of the file; `complete`: it has all that it will have. Those of a time of which nothing
/// was written belong to the file after it, or to an event's last: no event goes without a mark.
void Recorder::mark(SegmentRecord& record, bool complete) {
  const bool of_event = record.kind == SegmentClass::event;
  GapBook& book = book_of(record.kind);
  std::int64_t start_ns = record.start_ns, end_ns = record.end_ns;
  if (of_event) end_ns = std::max(end_ns, events_.wanted_ns(record.start_ns));
  const bool last = ending_ && (of_event ? events_.current() : current_) == nullptr;
  const std::int64_t gaps_until_ns = last ? std::numeric_limits<std::int64_t>::max() : end_ns;
  // Of a stream that has gone nothing comes after its gap: where none is taken, it is there already.
  const std::int64_t known_until_ns = of_event ? end_ns : std::numeric_limits<std::int64_t>::max();
  record.gaps = complete ? book.take_before(gaps_until_ns) : book.before(known_until_ns);
  // Those of the file before are in its own manifest.
  if (!complete && (of_event ? events_.has_previous() : segmenter_.has_previous()))
    std::erase_if(record.gaps, [&](const Gap& gap) { return gap.end_ns <= record.start_ns; });
  // Of the time before an event nothing was wanted.
  if (of_event && !events_.goes_on())
    std::erase_if(record.gaps, [&](const Gap& gap) { return gap.end_ns < record.start_ns; });
  for (const Gap& gap : record.gaps) start_ns = std::min(start_ns, gap.start_ns);
  record.events = events_.marks(start_ns, end_ns);
}

void Recorder::want_key_frame(std::size_t track) {
  lines_[track].ask_for_key_frame();
}

void Recorder::upkeep(std::int64_t now_ns) {
  write([&] { segmenter_.tick(now_ns); });
  events_.tick(now_ns);
  if (const SegmentFile* open = open_now(); dropped_ && open != nullptr && open->written_bytes() != 0)
    go_on(" can be written again, and recording goes on");
  static_cast<void>(asleep(now_ns));  // though no frame comes: files end when the schedule says so
  if (now_ns - saved_ns_ < kSaveInterval_ns) return;
  saved_ns_ = now_ns;
  if (current_ != nullptr) save(*current_);
  if (events_.current() != nullptr) save(*events_.current());
}

void Recorder::save(SegmentFile& file) {
  SegmentRecord record = file.record();
  if (record.end_ns == record.start_ns) return;  // nothing in it yet
  mark(record, false);
  save(std::move(record));
}

/// For the repair, should it come to that.
void Recorder::save(SegmentRecord record) {
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
  numbers_.spool(counts());
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
  for (Line& line : lines_) give(line.drain());
}

void Recorder::end() {
  ending_ = true;
  drain_lines();
  for (Line& line : lines_) line.end();
  events_.finish();
  const std::int64_t until_ns = reel::monotonic_ns() + kGiveUp_ns;
  const auto finish = [this] {
    write([this] { segmenter_.finish(); });
    events_.tick_files(reel::monotonic_ns());
  };
  finish();
  while ((full_ || failing_) && reel::monotonic_ns() < until_ns) {
    closer_.make_room();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    full_ = failing_ = false;
    finish();
  }
  if (full_ || failing_ || !spool_.finished()) give_up();
  GapBook& book = settings_.mode == RecordMode::events ? event_gaps_ : gaps_;
  if (std::vector<Gap> left = book.take_before(std::numeric_limits<std::int64_t>::max()); !left.empty())
    closer_.add_gaps(std::move(left));
  numbers_.spool(counts());
}

/// Recording ends and the disk takes nothing: what is left is lost, and said to be in the segment that ends
/// here.
void Recorder::give_up() {
  std::uint64_t lost = 0;
  const char* why = failing_ ? kFailing : hopeless_ && !full_ ? kHung : kFull;
  const auto lose = [&](std::size_t track, std::uint64_t frames) {
    gaps_.add({facts_[track].stream, current_end_ns(), current_end_ns(), frames, why});
  };
  while (const std::optional<SpooledFrame> frame = spool_.take(0)) {
    if (frame->kind == SpooledFrame::Kind::frame) {
      lose(frame->input, 1);
      ++lost;
    }
    if (frame->kind == SpooledFrame::Kind::lost) lose(frame->input, frame->lost);
  }
  std::vector<Unit> held = segmenter_.take_held();
  for (Unit& unit : events_.take_held()) held.push_back(std::move(unit));
  for (const Unit& unit : held) lose(unit.track, 1);
  lost += held.size();
  spool_.count_lost(lost);
  if (lost != 0)
    reel::log_error(std::to_string(lost) + " frames that were not written when recording ended are lost");
  write([&] { segmenter_.finish(); });
  events_.tick_files(reel::monotonic_ns());
}

std::int64_t Recorder::current_end_ns() {
  SegmentFile* open = open_now();
  return open != nullptr ? open->record().end_ns - 1 : closed_ns_;
}

}  // namespace record
