// Which frames of several inputs belong together, by their times alone: the oldest of each input are compared
// until they are a set or one of them can be told to have no partner. The outcome depends on the times, not
// on the order in which frames of different inputs come. Pure; single-thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace reel {

class SetMatcher {
 public:
  static constexpr std::int64_t kNever_ns = std::numeric_limits<std::int64_t>::max();
  /// How long a frame that may be nearer is waited for where nobody knows when it comes: in a graph in which
  /// it waits for this stage, it would never come.
  static constexpr std::int64_t kLongestLook_ns = 2'000'000'000;

  struct Stamp {
    std::int64_t time_ns = 0;       // what is compared; within kFarthest_ns (frame_times.hpp)
    std::int64_t published_ns = 0;  // CLOCK_MONOTONIC
    std::int64_t spacing_ns = 0;    // the next frame of its input is so much later, or more; 0: not known
  };

  enum class What {
    match,  // the oldest of all inputs are a set
    leave,  // the oldest of `input` has no partner
    wait    // for a further frame of `input`, or until `until_ns`
  };
  struct Verdict {
    What what = What::wait;
    std::size_t input = 0;
    std::int64_t until_ns = kNever_ns;
  };

  /// `timeout_ns`: how old a frame gets while it waits for partners; 0: as old as it takes.
  SetMatcher(std::size_t inputs, std::int64_t tolerance_ns, std::int64_t timeout_ns);

  /// One more of `input`, behind those that it has. Its time may lie before theirs: its time line begins
  /// anew.
  void add(std::size_t input, const Stamp& stamp);
  /// The oldest of `input` is gone. REQUIRES: there is one.
  void remove(std::size_t input);
  [[nodiscard]] std::size_t count(std::size_t input) const noexcept { return lanes_[input].stamps.size(); }

  /// What to do next. `last` has bit i set where input i gives no further frame before one is removed: it has
  /// ended, or holds as many as it may.
  [[nodiscard]] Verdict decide(std::uint32_t last, std::int64_t now_ns);

 private:
  struct Placed {
    Stamp stamp;
    std::uint64_t line = 0;  // which of its input's time lines
  };
  struct Lane {
    std::vector<Placed> stamps;  // oldest first
    std::uint64_t line = 0;      // of the next one
    std::int64_t last_ns = 0;
    bool any = false;
    std::int64_t looked_since_ns = kNever_ns;  // that a nearer one than its oldest is waited for
  };

  [[nodiscard]] bool leaves_older_line(Verdict& verdict);
  [[nodiscard]] bool leaves_too_early(Verdict& verdict) const;
  [[nodiscard]] bool waits_for_missing(std::int64_t now_ns, Verdict& verdict) const;
  [[nodiscard]] bool waits_for_nearer(std::uint32_t last, std::int64_t now_ns, Verdict& verdict);
  [[nodiscard]] std::int64_t look_until_ns(Lane& lane, std::int64_t now_ns) const noexcept;
  [[nodiscard]] std::int64_t newest_ns() const noexcept;

  std::vector<Lane> lanes_;
  std::int64_t tolerance_ns_;
  std::int64_t timeout_ns_;
};

}  // namespace reel
