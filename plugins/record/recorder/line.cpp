#include "recorder/line.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>

#include <reel/base/error.hpp>
#include <reel/base/quantity.hpp>

#include "media/apart.hpp"
#include "media/coding.hpp"

namespace record {
namespace {

using reel::ErrorCode;

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
    fail(error);
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
  inside_.push_back({frame.number, time.time_ns});
  add_facts(frame, time.time_ns);
}

void Line::add_facts(const SpooledFrame& frame, std::int64_t media_ns) {
  FrameFacts facts;
  facts.frame = frame.number;
  facts.media_ns = media_ns;
  facts.info = frame.info;
  facts.sequence = frame.sequence;
  facts.published_ns = frame.published_ns;
  facts.side_data = frame.side_data;
  facts_.waiting.push_back(std::move(facts));
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
  if (!chain_) return {};
  try {
    return out(chain_->take());
  } catch (const reel::Error& error) {
    fail(error);
    return {};
  }
}

std::vector<Unit> Line::drain() {
  if (!chain_) return {};
  std::vector<Unit> units;
  try {
    units = out(chain_->drain());
    static_cast<void>(chain_->take());  // throws where that is not all
  } catch (const reel::Error& error) {
    fail(error);
  }
  chain_.reset();
  inside_.clear();
  return units;
}

std::vector<Unit> Line::out(std::vector<Unit> units) {
  for (const Unit& unit : units)
    while (!inside_.empty() && inside_.front().frame <= unit.frame) inside_.pop_front();
  return units;
}

void Line::ask_for_key_frame() {
  if (chain_) chain_->ask_for_key_frame();
}

void Line::fail(const reel::Error& error) {
  chain_.reset();
  const std::deque<Inside> inside = std::exchange(inside_, {});
  if (!inside.empty()) {
    // Facts before these are of frames that only wait for their file.
    const std::uint64_t first = inside.front().frame;
    std::erase_if(facts_.waiting, [&](const FrameFacts& facts) { return facts.frame >= first; });
    gaps_.add({settings_.stream, inside.front().media_ns, std::max(inside.front().media_ns, *end_ns_),
               inside.size(), reason_of(error)});
    if (settings_.on_lost) settings_.on_lost(inside.size());
  }
  if (settings_.on_failure)
    settings_.on_failure(error,
                         inside.empty() ? std::numeric_limits<std::uint64_t>::max() : inside.front().frame);
}

void Line::end() {
  if (!loss_) return;
  const Loss loss = *std::exchange(loss_, std::nullopt);
  if (loss.frames != 0)
    gaps_.add(
        {settings_.stream, loss.start_ns, std::max(loss.start_ns, loss.end_ns), loss.frames, loss.reason});
}

}  // namespace record
