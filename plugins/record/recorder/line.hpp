// One input of the recorder: its frames, as they come out of the spool, go through its encoder (or parser)
// and come out as units, with the facts of each frame beside them. An encoder that fails is replaced: what
// was in it is lost, a gap. Called by the recorder's thread. Single-thread.
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
    /// An encoder failed with this, and frames from `first` on are lost.
    std::function<void(const reel::Error& error, std::uint64_t first)> on_failure{};
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
  /// Recording ends: so does what was lost last.
  void end();

 private:
  struct Inside {
    std::uint64_t frame = 0;
    std::int64_t media_ns = 0;
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
  void add_facts(const SpooledFrame& frame, std::int64_t media_ns);
  [[nodiscard]] std::vector<Unit> out(std::vector<Unit> units);
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
  std::deque<Inside> inside_;  // what the encoder has, as far as it has not come out
};

}  // namespace record
