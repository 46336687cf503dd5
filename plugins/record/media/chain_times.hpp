// Which frame a unit was made from. An encoder sees a time line without holes or jumps (of sound: counted in
// samples), and what comes out of it is placed again by what went in. Pure; not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "chain.hpp"
#include "decode_times.hpp"

namespace record {

class ChainTimes {
 public:
  /// `delay_ns`: how much of what comes out first stands for nothing that went in (an encoder's priming).
  void set_delay(std::int64_t delay_ns) noexcept { delay_ns_ = delay_ns; }

  /// The time in the encoder's line of a picture, or of a piece that came encoded.
  [[nodiscard]] std::int64_t add(const Piece& piece);
  /// Of raw sound, which follows `before_ns` of sound.
  [[nodiscard]] std::int64_t add_sound(const Piece& piece, std::int64_t before_ns);

  /// The unit (without bytes) of the picture that comes out with this time of the encoder's line. nullopt
  /// when nothing is inside.
  [[nodiscard]] std::optional<Unit> place_picture(std::int64_t encoder_ns);
  /// Of a block of sound; `duration_ns` may be kNoTime.
  [[nodiscard]] std::optional<Unit> place_sound(std::int64_t encoder_ns, std::int64_t duration_ns);

 private:
  struct Added {
    Piece piece;  // without its buffer
    std::uint64_t number = 0;
  };
  std::int64_t keep(const Piece& piece, std::int64_t encoder_ns);
  [[nodiscard]] Unit unit_of(const Piece& piece) const;
  void forget_overtaken(std::uint64_t number);

  std::map<std::int64_t, Added> added_;  // by time in the encoder's line
  std::optional<std::int64_t> first_ns_;
  std::int64_t delay_ns_ = 0;
  DecodeTimes decode_times_;
  std::optional<std::int64_t> last_sound_ns_;
  std::uint64_t count_ = 0;
};

}  // namespace record
