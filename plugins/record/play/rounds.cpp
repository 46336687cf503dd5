#include "play/rounds.hpp"

#include <algorithm>

#include <reel/base/clock.hpp>

namespace record {
namespace {

constexpr std::int64_t kLeast_ns = 40'000'000;  // of a round: one picture that does not say how long it is

constexpr std::uint64_t kNoNumber = ~std::uint64_t{0};

}  // namespace

void Rounds::Span::add(std::int64_t from, std::int64_t to) noexcept {
  first = any ? std::min(first, from) : from;
  end = any ? std::max(end, to) : to;
  any = true;
}

std::int64_t Rounds::length_of(Stream& stream, const PlayFrame& frame) {
  if (stream.media.any) stream.step_ns = std::max<std::int64_t>(0, frame.media_ns - stream.before_ns);
  stream.before_ns = frame.media_ns;
  return frame.info.duration_ns == reel::kNoTime ? stream.step_ns : frame.info.duration_ns;
}

void Rounds::place(std::size_t index, PlayFrame& frame) {
  Stream& stream = streams_[index];
  reel::FrameInfo& info = frame.info;
  const std::int64_t length_ns = length_of(stream, frame);
  stream.media.add(frame.media_ns, frame.media_ns + length_ns);
  frame.media_ns += media_shift_ns_;
  if (info.pts_ns != reel::kNoTime) {
    stream.pts.add(info.pts_ns, info.pts_ns + length_ns);
    info.pts_ns += times_shift_ns_;
  }
  if (info.dts_ns != reel::kNoTime) info.dts_ns += times_shift_ns_;
  if (info.capture_ns != reel::kNoTime) info.capture_ns += times_shift_ns_;
  if (info.offset == kNoNumber) return;
  const std::uint64_t end = info.offset_end == kNoNumber ? info.offset + 1 : info.offset_end;
  stream.numbers.add(static_cast<std::int64_t>(info.offset), static_cast<std::int64_t>(end));
  info.offset += stream.numbers_shift;
  if (info.offset_end != kNoNumber) info.offset_end += stream.numbers_shift;
}

bool Rounds::next() {
  Span media;
  std::int64_t longest_ns = 0;  // one shift for all streams: they stay together
  for (const Stream& stream : streams_) {
    if (stream.media.any) media.add(stream.media.first, stream.media.end);
    longest_ns = std::max(longest_ns, stream.pts.length());
  }
  if (!media.any) return false;
  const std::int64_t length_ns = std::max(media.length(), kLeast_ns);
  media_shift_ns_ += length_ns;
  times_shift_ns_ += std::max(longest_ns, length_ns);
  for (Stream& stream : streams_) {
    const std::uint64_t shift = stream.numbers_shift + static_cast<std::uint64_t>(stream.numbers.length());
    stream = Stream();
    stream.numbers_shift = shift;
  }
  return true;
}

}  // namespace record
