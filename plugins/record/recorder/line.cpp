#include "recorder/line.hpp"

#include <algorithm>
#include <utility>

#include <reel/base/error.hpp>

#include "media/coding.hpp"

namespace record {
namespace {

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

}  // namespace

Line::Line(Settings settings, TimeLine& times, GapBook& gaps, TrackFacts& facts)
    : settings_(std::move(settings)), times_(times), gaps_(gaps), facts_(facts) {
  if (!settings_.end_ns) return;
  end_ns_ = settings_.end_ns;
  loss_ = Loss{*end_ns_, 0, kWasAway};
}

void Line::begin_chain(const SpooledFrame& frame) {
  const Coding coding = choose_coding(*frame.format, settings_.wish, settings_.container, settings_.stream);
  chain_ = std::make_unique<Chain>(Chain::Settings{settings_.track, *frame.format, coding, settings_.stream});
  format_ = frame.format;
  facts_.video = coding.video;
  facts_.format = frame.format->caps();
  need_key_ = true;
}

bool Line::waits_for_key(const SpooledFrame& frame) const {
  return need_key_ && format_->encoded() != nullptr && facts_.video &&
         (frame.info.flags & reel::kKeyFrame) == 0;
}

std::vector<Unit> Line::push(SpooledFrame frame) {
  std::vector<Unit> before;
  if (!format_ || (format_ != frame.format && *format_ != *frame.format)) before = drain();
  const MediaTime time = times_.place(frame);
  try {
    if (!chain_) begin_chain(frame);
    if (waits_for_key(frame)) {
      lose(time.time_ns, 1, loss_ ? loss_->reason : "what came before its first key frame cannot be decoded");
      return before;
    }
    need_key_ = false;
    close_gap(time.time_ns);
    Piece piece;
    piece.buffer = frame.buffer;
    piece.time_ns = time.time_ns;
    piece.decode_ns = time.decode_ns;
    piece.duration_ns = duration_of(frame);
    piece.arrived_ns = frame.published_ns;
    piece.frame = frame.number;
    piece.key = (frame.info.flags & reel::kKeyFrame) != 0;
    piece.discont = time.jumped || (frame.info.flags & reel::kDiscont) != 0;
    end_ns_ = std::max(end_ns_.value_or(time.time_ns), time.time_ns + piece.duration_ns);
    add_facts(frame, time.time_ns);
    chain_->push(std::move(piece));
  } catch (const reel::Error&) {
    if (!facts_.waiting.empty() && facts_.waiting.back().frame == frame.number) facts_.waiting.pop_back();
    lose(time.time_ns, 1, "it could not be encoded");
    throw;
  }
  return before;
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
  lose(times_.place(first).time_ns, first.lost, first.reason);
  need_key_ = true;
}

void Line::lose(std::int64_t time_ns, std::uint64_t frames, const std::string& reason) {
  if (loss_ && loss_->reason != reason) close_gap(time_ns);
  if (!loss_) loss_ = Loss{end_ns_.value_or(time_ns), 0, reason};
  loss_->frames += frames;
}

/// The next frame is here: what was lost ends with it, as does a time without frames.
void Line::close_gap(std::int64_t time_ns) {
  if (!loss_ && end_ns_ && time_ns - *end_ns_ > settings_.away_ns)
    loss_ = Loss{*end_ns_, 0, "no frames came"};
  if (!loss_) return;
  const Loss loss = *std::exchange(loss_, std::nullopt);
  gaps_.add({settings_.stream, loss.start_ns, std::max(loss.start_ns, time_ns), loss.frames, loss.reason});
}

std::vector<Unit> Line::take() {
  return chain_ ? out(chain_->take()) : std::vector<Unit>();
}

std::vector<Unit> Line::drain() {
  if (!chain_) return {};
  const std::unique_ptr<Chain> chain = std::move(chain_);
  return out(chain->drain());
}

std::vector<Unit> Line::out(std::vector<Unit> units) {
  for (const Unit& unit : units) out_ = std::max(out_.value_or(0), unit.frame);
  return units;
}

void Line::ask_for_key_frame() {
  if (chain_) chain_->ask_for_key_frame();
}

void Line::fail(const std::string& reason) {
  chain_.reset();
  std::deque<FrameFacts>& waiting = facts_.waiting;
  // Those before have come out of the encoder, and only wait for their file.
  const auto inside = std::find_if(waiting.begin(), waiting.end(),
                                   [this](const FrameFacts& facts) { return !out_ || facts.frame > *out_; });
  if (inside == waiting.end()) return;
  lose(inside->media_ns, static_cast<std::uint64_t>(waiting.end() - inside), reason);
  waiting.erase(inside, waiting.end());
}

}  // namespace record
