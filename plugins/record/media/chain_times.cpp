#include "chain_times.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace record {

namespace {

// The encoder's line begins here, not at 0: pictures that are shown before the first one decoded have times
// before it.
constexpr std::int64_t kBegin = 10'000'000'000;
// A picture that so many later ones have overtaken will not come.
constexpr std::uint64_t kOvertaken = 64;
// More are in nothing that gives something back.
constexpr std::size_t kMost = 4096;

}  // namespace

std::int64_t ChainTimes::keep(const Piece& piece, std::int64_t encoder_ns) {
  Added entry{piece, count_++};
  entry.piece.buffer.reset();
  if (added_.size() == kMost) added_.erase(added_.begin());
  added_.insert_or_assign(encoder_ns, std::move(entry));
  return encoder_ns;
}

std::int64_t ChainTimes::add(const Piece& piece) {
  if (!first_ns_) first_ns_ = piece.time_ns;
  std::int64_t encoder_ns = std::max<std::int64_t>(0, kBegin + piece.time_ns - *first_ns_);
  while (added_.contains(encoder_ns)) ++encoder_ns;
  return keep(piece, encoder_ns);
}

std::int64_t ChainTimes::add_sound(const Piece& piece, std::int64_t before_ns) {
  return keep(piece, kBegin + before_ns);
}

void ChainTimes::forget_overtaken(std::uint64_t number) {
  for (auto entry = added_.begin(); entry != added_.end();) {
    if (entry->second.number + kOvertaken < number) {
      entry = added_.erase(entry);
    } else {
      ++entry;
    }
  }
}

Unit ChainTimes::unit_of(const Piece& piece) const {
  Unit unit;
  unit.time_ns = piece.time_ns;
  unit.duration_ns = piece.duration_ns;
  unit.arrived_ns = piece.arrived_ns;
  unit.frame = piece.frame;
  unit.discont = piece.discont;
  return unit;
}

std::optional<Unit> ChainTimes::place_picture(std::int64_t encoder_ns) {
  if (added_.empty()) return std::nullopt;
  auto found = added_.lower_bound(encoder_ns);
  if (found == added_.end() ||
      (found != added_.begin() && encoder_ns - std::prev(found)->first < found->first - encoder_ns))
    --found;
  const Piece& piece = found->second.piece;
  Unit unit = unit_of(piece);
  unit.decode_ns = piece.decode_ns != reel::kNoTime ? decode_times_.given(piece.decode_ns)
                                                    : decode_times_.next(unit.time_ns);
  const std::uint64_t number = found->second.number;
  added_.erase(found);
  forget_overtaken(number);
  return unit;
}

std::optional<Unit> ChainTimes::place_sound(std::int64_t encoder_ns, std::int64_t duration_ns) {
  if (added_.empty()) return std::nullopt;
  const std::int64_t content_ns = encoder_ns - delay_ns_;
  auto found = added_.upper_bound(content_ns);
  if (found != added_.begin()) --found;
  bool discont = false;
  for (auto before = added_.begin(); before != found; before = added_.erase(before))
    discont = discont || before->second.piece.discont;
  Unit unit = unit_of(found->second.piece);
  unit.discont = unit.discont || discont;
  found->second.piece.discont = false;
  unit.time_ns += content_ns - found->first;
  if (last_sound_ns_) unit.time_ns = std::max(unit.time_ns, *last_sound_ns_);
  if (duration_ns > 0) unit.duration_ns = duration_ns;
  unit.decode_ns = unit.time_ns;
  last_sound_ns_ = unit.time_ns;
  return unit;
}

}  // namespace record
