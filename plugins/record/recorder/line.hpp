// One input of the recorder: its frames, as they come out of the spool, go through its encoder (or parser)
// and come out as units, with the facts of each frame beside them. An encoder that fails is replaced: what
// was in it is lost, a gap, and so is a picture that nothing came of while later ones came out. Called by the
// recorder's thread. Single-thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <reel/base/error.hpp>

#include "media/chain.hpp"
#include "recorder/gap_book.hpp"
#include "recorder/segment_file.hpp"
#include "recorder/spool.hpp"
#include "recorder/time_line.hpp"

namespace record {

inline constexpr const char* kWasAway = "the recorder was not running";

class Line {
 public:
  struct Settings {
    std::size_t track = 0;
    std::string stream;
    CodingWish wish;
    Container container = Container::matroska;
    std::int64_t away_ns = 1'000'000'000;              // no frames for longer: a gap
    std::int64_t encoder_timeout_ns = 10'000'000'000;  // an encoder that does nothing for longer hangs
    std::optional<std::int64_t> end_ns;  // of what was recorded before this recorder was started
    /// Of frames of which all has come out, before the unit is returned that has the last of them.
    std::function<void(FrameFacts facts)> on_facts{};
    std::function<void(const reel::Error& error)> on_failure{};  // of an encoder
    /// So many frames were lost here: not those of which lost() tells.
    std::function<void(std::uint64_t frames)> on_lost{};
  };
  /// All but `settings` lives longer.
  Line(Settings settings, TimeLine& times, GapBook& gaps, TrackFacts& facts);

  /// True where push() would not wait for the encoder any more; false after `timeout_ms`.
  [[nodiscard]] bool wait_for_room(int timeout_ms);
  /// Units that came out because of it: where the format changed, the rest of the old one. Throws
  /// reel::Error{bad_config} or {unsupported} where the stream cannot be recorded at all.
  [[nodiscard]] std::vector<Unit> push(SpooledFrame frame);
  void lost(const SpooledFrame& first);
  /// What has come out of the encoder since.
  [[nodiscard]] std::vector<Unit> take();
  /// The rest; a frame may follow all the same.
  [[nodiscard]] std::vector<Unit> drain();
  void ask_for_key_frame();
  /// Of the frame that push() was given last; nullptr: it is lost. Until the next call.
  [[nodiscard]] const FrameFacts* facts_of_last(std::uint64_t frame) const;
  /// Nothing comes for a time, or recording ends: so does what was lost last.
  void end();

 private:
  struct Inside {
    FrameFacts facts;
    std::int64_t end_ns = 0;      // media time
    std::uint64_t overtaken = 0;  // units of later frames that have come out
  };
  struct Loss {
    std::int64_t start_ns = 0;
    std::int64_t end_ns = 0;  // as far as it is known
    std::uint64_t frames = 0;
    std::string reason;
  };
  void begin_chain(const SpooledFrame& frame);
  void feed(const SpooledFrame& frame, const MediaTime& time);
  void fail(const reel::Error& error);
  void lose(std::int64_t time_ns, std::uint64_t frames, const std::string& reason);
  void note_loss(std::int64_t time_ns, std::uint64_t frames, const std::string& reason);
  void close_gap(std::int64_t time_ns);
  void comes_out(const Unit& unit);
  void all_comes_out_up_to(std::uint64_t frame);
  void tell_facts(Inside inside);
  void lose_overtaken(const Unit& unit);
  void lose_what_did_not_come();
  void lose_unparsed();
  void lose_inside(std::deque<Inside> lost, const std::string& reason);
  [[nodiscard]] bool waits_for_key(const SpooledFrame& frame) const;

  Settings settings_;
  TimeLine& times_;
  GapBook& gaps_;
  TrackFacts& facts_;
  std::shared_ptr<const reel::Format> format_;
  std::unique_ptr<Chain> chain_;
  std::optional<Loss> loss_;
  bool need_key_ = true;  // of an encoded stream: what comes before one cannot be decoded
  std::optional<std::int64_t> end_ns_;
  std::deque<Inside> inside_;  // what the encoder has, as far as it has not come out: by number
  bool one_each_ = false;      // see Coding
  bool passthrough_ = false;
};

}  // namespace record
