#include "recorder/line.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <limits>
#include <utility>

#include <reel/base/error.hpp>
#include <reel/base/quantity.hpp>

#include "media/apart.hpp"
#include "media/coding.hpp"

namespace record {
namespace {

using reel::ErrorCode;

/// Pictures that are put into another order are behind no more than so many others (max_num_reorder_frames of
/// ITU-T H.264 E.2.1, and the same of H.265).
constexpr std::uint64_t kReordered = 16;
/// So many are in no parser that finds pictures.
constexpr std::size_t kMostParsed = 256;
constexpr std::int64_t kRounding_ns = 1'000'000;
constexpr const char* kLeftOut = "the encoder left it out";
constexpr const char* kNoPicture = "no picture was found in it";

[[nodiscard]] std::int64_t duration_of(const SpooledFrame& frame) {
  if (const reel::AudioFormat* audio = frame.format->audio())
    return static_cast<std::int64_t>(gst_util_uint64_scale(
        gst_buffer_get_size(frame.buffer.get()) / sample_frame_bytes(*audio), GST_SECOND, audio->rate_hz));
  if (frame.info.duration_ns > 0) return frame.info.duration_ns;
  const reel::EncodedFormat* encoded = frame.format->encoded();
  const reel::Fraction fps = frame.format->video() != nullptr ? frame.format->video()->fps
                             : encoded != nullptr             ? encoded->fps
                                                              : reel::Fraction{};
  if (fps.numerator == 0) return 0;
  return static_cast<std::int64_t>(gst_util_uint64_scale(GST_SECOND, fps.denominator, fps.numerator));
}

[[nodiscard]] FrameFacts facts_of(const SpooledFrame& frame, std::int64_t media_ns) {
  FrameFacts facts;
  facts.frame = frame.number;
  facts.media_ns = media_ns;
  facts.info = frame.info;
  facts.sequence = frame.sequence;
  facts.published_ns = frame.published_ns;
  facts.side_data = frame.side_data;
  return facts;
}

[[nodiscard]] std::string reason_of(const reel::Error& error) {
  return error.code() == ErrorCode::timeout ? "the encoder hung" : "the encoder failed";
}

}  // namespace

Line::Line(Settings settings, TimeLine& times, GapBook& gaps, TrackFacts& facts)
    : settings_(std::move(settings)), times_(times), gaps_(gaps), facts_(facts) {
  if (!settings_.end_ns) return;
  end_ns_ = settings_.end_ns;
  loss_ = Loss{*end_ns_, *end_ns_, 0, kWasAway};
}

// A driver that is stuck does not let its encoder be opened either.
void Line::begin_chain(const SpooledFrame& frame) {
  struct Begun {
    Coding coding;
    std::unique_ptr<Chain> chain;
    std::exception_ptr error;
  };
  const auto begun = std::make_shared<Begun>();
  const auto begin = [begun, settings = settings_, format = frame.format] {
    try {
      begun->coding = choose_coding(*format, settings.wish, settings.container, settings.stream);
      begun->chain = std::make_unique<Chain>(Chain::Settings{settings.track, *format, begun->coding,
                                                             settings.stream, settings.encoder_timeout_ns});
    } catch (...) {
      begun->error = std::current_exception();
    }
  };
  const bool sound = frame.format->audio() != nullptr;
  if (!call_apart(begin, settings_.encoder_timeout_ns))
    throw reel::Error(ErrorCode::timeout,
                      "cannot be encoded as " + (sound ? settings_.wish.audio_codec : settings_.wish.codec) +
                          ": its encoder has not begun within " +
                          reel::duration_text(settings_.encoder_timeout_ns) +
                          " (encoder_timeout): it is taken to hang",
                      settings_.stream);
  if (begun->error) std::rethrow_exception(begun->error);
  chain_ = std::move(begun->chain);
  format_ = frame.format;
  facts_.video = begun->coding.video;
  facts_.format = frame.format->caps();
  one_each_ = begun->coding.one_each;
  passthrough_ = begun->coding.passthrough;
  need_key_ = true;
}

bool Line::waits_for_key(const SpooledFrame& frame) const {
  return need_key_ && format_->encoded() != nullptr && facts_.video &&
         (frame.info.flags & reel::kKeyFrame) == 0;
}

bool Line::wait_for_room(int timeout_ms) {
  return !chain_ || chain_->wait_for_room(timeout_ms);
}

std::vector<Unit> Line::push(SpooledFrame frame) {
  std::vector<Unit> before;
  if (!format_ || (format_ != frame.format && *format_ != *frame.format)) before = drain();
  const MediaTime time = times_.place(frame);
  try {
    if (!chain_) begin_chain(frame);
    if (waits_for_key(frame))
      lose(time.time_ns, 1, loss_ ? loss_->reason : "what came before its first key frame cannot be decoded");
    else
      feed(frame, time);
  } catch (const reel::Error& error) {
    if (!chain_) fail(error);
    // What came out before is kept; then it says once more that it failed.
    for (std::vector<Unit> more = take(); !more.empty(); more = take())
      for (Unit& unit : more) before.push_back(std::move(unit));
    if (chain_) fail(error);
    lose(time.time_ns, 1, reason_of(error));
    loss_->end_ns = std::max(loss_->end_ns, time.time_ns + duration_of(frame));  // it may be the last
    if (error.code() == ErrorCode::bad_config || error.code() == ErrorCode::unsupported) throw;
  }
  return before;
}

void Line::feed(const SpooledFrame& frame, const MediaTime& time) {
  Piece piece;
  piece.buffer = frame.buffer;
  piece.time_ns = time.time_ns;
  piece.decode_ns = time.decode_ns;
  piece.duration_ns = duration_of(frame);
  piece.arrived_ns = frame.published_ns;
  piece.frame = frame.number;
  piece.key = (frame.info.flags & reel::kKeyFrame) != 0;
  piece.discont = time.jumped || (frame.info.flags & reel::kDiscont) != 0;
  const std::int64_t end_ns = time.time_ns + piece.duration_ns;
  chain_->push(std::move(piece));
  need_key_ = false;
  close_gap(time.time_ns);
  end_ns_ = std::max(end_ns_.value_or(time.time_ns), end_ns);
  inside_.push_back({facts_of(frame, time.time_ns), end_ns});
  lose_unparsed();
}

void Line::lost(const SpooledFrame& first) {
  const std::int64_t time_ns = times_.place(first).time_ns;
  note_loss(time_ns, first.lost, first.reason);
  loss_->end_ns += static_cast<std::int64_t>(first.lost) * std::max<std::int64_t>(0, first.info.duration_ns);
  need_key_ = true;
}

void Line::lose(std::int64_t time_ns, std::uint64_t frames, const std::string& reason) {
  note_loss(time_ns, frames, reason);
  if (settings_.on_lost) settings_.on_lost(frames);
}

void Line::note_loss(std::int64_t time_ns, std::uint64_t frames, const std::string& reason) {
  if (loss_ && loss_->reason != reason) close_gap(time_ns);
  if (!loss_) loss_ = Loss{end_ns_.value_or(time_ns), time_ns, 0, reason};
  loss_->frames += frames;
  loss_->end_ns = std::max(loss_->end_ns, time_ns);
}

/// The next frame is here: what was lost ends with it, as does a time without frames.
void Line::close_gap(std::int64_t time_ns) {
  if (!loss_ && end_ns_ && time_ns - *end_ns_ > settings_.away_ns)
    loss_ = Loss{*end_ns_, time_ns, 0, "no frames came"};
  if (!loss_) return;
  const Loss loss = *std::exchange(loss_, std::nullopt);
  gaps_.add({settings_.stream, loss.start_ns, std::max(loss.start_ns, time_ns), loss.frames, loss.reason});
}

std::vector<Unit> Line::take() {
  std::vector<Unit> units;
  if (!chain_) return units;
  try {
    units = chain_->take();
    for (const Unit& unit : units) comes_out(unit);
  } catch (const reel::Error& error) {
    fail(error);
  }
  return units;
}

std::vector<Unit> Line::drain() {
  std::vector<Unit> units;
  if (!chain_) return units;
  try {
    // One that failed may still give what it had, and says so when that is all.
    for (std::vector<Unit> more = chain_->drain(); !more.empty(); more = chain_->take())
      for (Unit& unit : more) {
        comes_out(unit);
        units.push_back(std::move(unit));
      }
  } catch (const reel::Error& error) {
    fail(error);
  }
  chain_.reset();
  lose_what_did_not_come();
  return units;
}

/// Of sound, and of pictures in pieces, a unit has frames before that in which it begins as well.
void Line::comes_out(const Unit& unit) {
  if (!one_each_) return all_comes_out_up_to(unit.frame);
  const auto found =
      std::lower_bound(inside_.begin(), inside_.end(), unit.frame,
                       [](const Inside& inside, std::uint64_t frame) { return inside.facts.frame < frame; });
  if (found == inside_.end() || found->facts.frame != unit.frame) return;
  tell_facts(std::move(*found));
  inside_.erase(found);
  lose_overtaken(unit);
}

void Line::all_comes_out_up_to(std::uint64_t frame) {
  while (!inside_.empty() && inside_.front().facts.frame <= frame) {
    tell_facts(std::move(inside_.front()));
    inside_.pop_front();
  }
}

void Line::tell_facts(Inside inside) {
  if (settings_.on_facts) settings_.on_facts(std::move(inside.facts));
}

/// No picture is behind a later one that is a key frame.
void Line::lose_overtaken(const Unit& unit) {
  if (inside_.empty() || inside_.front().facts.frame > unit.frame) return;
  std::deque<Inside> lost;
  for (auto inside = inside_.begin(); inside != inside_.end() && inside->facts.frame < unit.frame;) {
    if (!unit.key && ++inside->overtaken <= kReordered) {
      ++inside;
      continue;
    }
    lost.push_back(std::move(*inside));
    inside = inside_.erase(inside);
  }
  lose_inside(std::move(lost), passthrough_ ? kNoPicture : kLeftOut);
}

void Line::lose_unparsed() {
  if (!one_each_ || !passthrough_ || inside_.size() <= kMostParsed) return;
  std::deque<Inside> lost;
  lost.push_back(std::move(inside_.front()));
  inside_.pop_front();
  lost.front().end_ns = std::max(lost.front().end_ns, inside_.front().facts.media_ns);  // one gap for all
  lose_inside(std::move(lost), kNoPicture);
}

void Line::lose_what_did_not_come() {
  if (!one_each_) return all_comes_out_up_to(std::numeric_limits<std::uint64_t>::max());
  lose_inside(std::exchange(inside_, {}), passthrough_ ? kNoPicture : kLeftOut);
}

void Line::lose_inside(std::deque<Inside> lost, const std::string& reason) {
  if (lost.empty()) return;
  std::sort(lost.begin(), lost.end(),
            [](const Inside& one, const Inside& other) { return one.facts.media_ns < other.facts.media_ns; });
  for (auto inside = lost.begin(); inside != lost.end(); ++inside) {
    const auto next = std::next(inside);
    const std::int64_t start_ns = inside->facts.media_ns;
    std::int64_t end_ns = std::max(start_ns, inside->end_ns);
    const bool goes_on = next != lost.end() && (next->facts.frame == inside->facts.frame + 1 ||
                                                next->facts.media_ns - end_ns < kRounding_ns);
    if (goes_on) end_ns = std::max(end_ns, next->facts.media_ns);
    gaps_.add({settings_.stream, start_ns, end_ns, 1, reason});
  }
  if (settings_.on_lost) settings_.on_lost(lost.size());
}

const FrameFacts* Line::facts_of_last(std::uint64_t frame) const {
  return inside_.empty() || inside_.back().facts.frame != frame ? nullptr : &inside_.back().facts;
}

void Line::ask_for_key_frame() {
  if (chain_) chain_->ask_for_key_frame();
}

void Line::fail(const reel::Error& error) {
  chain_.reset();
  lose_inside(std::exchange(inside_, {}), reason_of(error));
  if (settings_.on_failure) settings_.on_failure(error);
}

void Line::end() {
  if (!loss_ || loss_->frames == 0) return;
  const Loss loss = *std::exchange(loss_, std::nullopt);
  const std::int64_t end_ns = std::max(loss.start_ns, loss.end_ns);
  gaps_.add({settings_.stream, loss.start_ns, end_ns, loss.frames, loss.reason});
  end_ns_ = std::max(end_ns_.value_or(end_ns), end_ns);
}

}  // namespace record
