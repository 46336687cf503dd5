#include "events/pre_roll.hpp"

#include <algorithm>
#include <iterator>

namespace record {

bool PreRoll::of_reference(const Unit& unit) const noexcept {
  return !reference_ || unit.track == *reference_;
}

std::optional<std::int64_t> PreRoll::begins_ns() const noexcept {
  if (keys_.empty()) return std::nullopt;
  return keys_.front();
}

void PreRoll::clear() noexcept {
  units_.clear();
  keys_.clear();
  bytes_ = 0;
}

void PreRoll::push(const Unit& unit) {
  if (of_reference(unit)) {
    // What was before a pause as long as that is not of the last seconds any more.
    if (unit.time_ns - last_ns_ > limits_.length_ns) clear();
    last_ns_ = unit.time_ns;
    if (unit.key)
      keys_.push_back(unit.time_ns);
    else if (keys_.empty())
      return;  // cannot be decoded
  }
  units_.push_back(unit);
  bytes_ += unit.bytes();
  trim();
}

// What other tracks have from the key frame on may have come before it: it stays.
void PreRoll::drop_before(std::int64_t key_ns) {
  bool reached = false;
  std::erase_if(units_, [&](const Unit& unit) {
    if (of_reference(unit)) reached = reached || (unit.key && unit.time_ns >= key_ns);
    const bool drop = of_reference(unit) ? !reached : unit.time_ns < key_ns;
    if (drop) bytes_ -= unit.bytes();
    return drop;
  });
  while (!keys_.empty() && keys_.front() < key_ns) keys_.pop_front();
}

void PreRoll::trim() {
  const std::int64_t newest_ns = units_.back().time_ns;
  while (keys_.size() > 1 && keys_[1] <= newest_ns - limits_.length_ns) drop_before(keys_[1]);
  while (bytes_ > limits_.bytes) {
    ++cut_short_;
    if (keys_.size() > 1)
      drop_before(keys_[1]);
    else
      clear();  // one group alone is too large; what follows goes with the next key frame
  }
}

std::vector<Unit> PreRoll::take(std::int64_t from_ns) {
  const auto later = std::upper_bound(keys_.begin(), keys_.end(), from_ns);
  if (!keys_.empty()) drop_before(later == keys_.begin() ? keys_.front() : *std::prev(later));
  std::vector<Unit> taken(std::make_move_iterator(units_.begin()), std::make_move_iterator(units_.end()));
  if (keys_.empty()) taken.clear();
  clear();
  return taken;
}

}  // namespace record
