// The inputs of a stage that gets sets of frames: what is held of each until its partners have come, in the
// order in which it came. Made and used by run_stage() alone, in its thread. Allocates nothing for a frame.
#pragma once

#include "ports.hpp"
#include "set_matcher.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace reel {

/// Who is given what comes out of a join. May throw.
class SetReceiver {
 public:
  virtual ~SetReceiver() = default;
  /// False once the stage is to end: what is held then stays held, as not taken.
  [[nodiscard]] virtual bool wants_more() const noexcept = 0;
  virtual void hand_on_set(const FrameSet& set) = 0;
  virtual void hand_on_other(LiveInput& input, const Frame& frame) = 0;
  virtual void hand_on_end(LiveInput& input) = 0;
};

class JoinedInputs {
 public:
  /// Of `setup.join`; `inputs` as setup.inputs. Throws Error{bad_config} where an input may hold fewer than
  /// kJoinPins frames.
  JoinedInputs(const StageSetup& setup, const std::vector<std::unique_ptr<LiveInput>>& inputs,
               SetReceiver& receiver);

  /// Whether a further frame of the input is to be read.
  [[nodiscard]] bool takes(std::size_t input) const noexcept;
  /// What it is read into; keep() or a further read takes it from here.
  [[nodiscard]] Frame& incoming() noexcept { return incoming_; }
  /// Throws Error{bad_config} for a frame of a kind that cannot be joined.
  void keep(std::size_t input);
  void end(std::size_t input) noexcept { lanes_[input].ended = true; }

  /// Hands on what can be by now, and lets go what has no partner, while the receiver wants more.
  void settle();
  /// An input has ended and its last frame is gone: there will be no more sets.
  [[nodiscard]] bool over() const noexcept { return over_; }
  /// How long to wait for the next frame, after settle(): until something must be let go, `most_ms` at most.
  [[nodiscard]] int longest_wait_ms(int most_ms) const noexcept;
  /// Says in the log how it went.
  void tell() const;

 private:
  struct Held {
    Frame frame;
    bool media = false;
  };
  struct Lane {
    LiveInput* input = nullptr;
    std::size_t most = 0;
    std::vector<Held> held;  // oldest first; settled: the first is media
    bool ended = false;
    std::uint64_t left = 0;  // without a partner
  };

  [[nodiscard]] bool choose_time();
  void stamp(std::size_t lane, const Frame& frame);
  [[nodiscard]] SetMatcher::Verdict undecided(std::int64_t now_ns) const;
  void hand_on_others();
  void hand_on_set();
  void leave(std::size_t lane);
  void remove(std::size_t lane);
  void finish(Lane& ended);
  [[nodiscard]] std::uint32_t last() const noexcept;
  void warn_of_drought();

  JoinRule rule_;
  SetReceiver& receiver_;
  SetMatcher matcher_;
  std::vector<Lane> lanes_;
  std::vector<const Frame*> set_;
  Frame incoming_;
  bool timed_ = false;  // it is known which times are compared, and the matcher has them
  bool over_ = false;
  bool warned_ = false;
  std::int64_t until_ns_ = SetMatcher::kNever_ns;
  std::uint64_t sets_ = 0;
  std::uint64_t left_since_set_ = 0;
};

}  // namespace reel
