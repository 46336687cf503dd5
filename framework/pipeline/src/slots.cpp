#include <algorithm>

#include <fmt/format.h>

#include <reel/pipeline/graph.hpp>

namespace reel {
namespace {

// Tools and late readers that a stream has room for when its slots are derived.
constexpr std::uint32_t kGuests = 2;

}  // namespace

SlotSum slots_for(const StreamConfig& stream, const std::vector<const InputConfig*>& readers) {
  std::uint32_t pins = 0;
  std::uint32_t lag = 0;
  for (const InputConfig* reader : readers) {
    pins += reader->max_pins;
    if (stream.live && reader->policy == Policy::lossless) lag += stream.lag_frames;
  }
  SlotSum sum;
  sum.needed = stream.history + stream.loans + pins + lag + 1;
  sum.comfortable = sum.needed + kGuests * kDefaultPins;
  sum.text =
      fmt::format("{} history + {} loans + {} pins of {} readers{} + 1 = {}", stream.history, stream.loans,
                  pins, readers.size(), lag > 0 ? fmt::format(" + {} frames of lag", lag) : "", sum.needed);
  return sum;
}

}  // namespace reel
