#include "play/decoding.hpp"

#include <utility>

#include <reel/base/log.hpp>

namespace record {
namespace {

// Decoders with many threads hold as many pictures.
constexpr std::size_t kMostInside = 32;
constexpr std::int64_t kWait_ns = 100'000'000;
constexpr int kMostSettling = 5;
constexpr int kMostStalls = 20;  // then what is inside is taken for damaged: nothing comes of it

}  // namespace

bool Decoding::fits(const QueuedUnit& queued) const {
  // A key frame that goes back is of another file that has the same time once more.
  if (queued.unit.key && queued.unit.time_ns < last_ns_) return false;
  const bool same_form = queued.published_as == published_as_ ||
                         (queued.published_as && published_as_ && *queued.published_as == *published_as_);
  return same_form && gst_caps_is_equal(decoder_->caps(), queued.unit.caps.get()) != FALSE;
}

void Decoding::open(const QueuedUnit& queued) {
  published_as_ = queued.published_as;
  const bool raw = published_as_ && (published_as_->video() != nullptr || published_as_->audio() != nullptr);
  decoder_ =
      std::make_unique<Decoder>(queued.unit.caps.get(), raw ? std::optional(*published_as_) : std::nullopt);
  draining_ = false;
  stalls_ = 0;
}

Decoding::Decoded Decoding::next(UnitQueue& queue, bool finished) {
  if (ready_.sample) return std::exchange(ready_, {});
  while (true) {
    if (decoder_) {
      Decoded decoded{decoder_->pull(draining_ ? kWait_ns : 0), published_as_};
      if (decoded.sample) {
        stalls_ = 0;
        tell_of_conversion();
        return decoded;
      }
      if (draining_) {
        if (decoder_->over() || ++stalls_ > kMostStalls) decoder_.reset();
        continue;
      }
    }
    if (queue.empty()) {
      if (!decoder_ || !finished) return {};
      decoder_->finish();
      draining_ = true;
      continue;
    }
    const QueuedUnit& queued = queue.front();
    if (decoder_ && !fits(queued)) {
      decoder_->finish();
      draining_ = true;
    } else if (decoder_ && decoder_->inside() >= kMostInside) {
      Decoded decoded{decoder_->pull(kWait_ns), published_as_};
      if (decoded.sample) return decoded;
      if (++stalls_ > kMostStalls) decoder_->forget_inside();
    } else {
      if (!decoder_) open(queued);
      decoder_->push(queued.unit.buffer, queued.unit.time_ns);
      last_ns_ = queued.unit.time_ns;
      settled_ = false;
      queue.pop();
    }
  }
}

bool Decoding::settle() {
  if (ready_.sample) return true;
  if (!decoder_ || settled_ || decoder_->inside() == 0) return false;
  for (int i = 0; i < kMostSettling && !ready_.sample; ++i)
    ready_ = {decoder_->pull(kWait_ns), published_as_};
  settled_ = !ready_.sample;
  return !settled_;
}

void Decoding::tell_of_conversion() {
  if (std::exchange(told_, true)) return;
  if (const std::string conversion = decoder_->conversion(); !conversion.empty())
    reel::log_info("stream " + stream_ + ": converted from what its recording holds, " + conversion);
}

}  // namespace record
