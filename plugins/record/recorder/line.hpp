// One input of the recorder: its frames, as they come out of the spool, go through its encoder (or parser)
// and come out as units, with the facts of each frame beside them. Called by the recorder's thread.
// Single-thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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
    std::int64_t away_ns = 1'000'000'000;  // no frames for longer: a gap
    std::optional<std::int64_t> end_ns;    // of what was recorded before this recorder was started
  };
  /// All but `settings` lives longer.
  Line(Settings settings, TimeLine& times, GapBook& gaps, TrackFacts& facts);

  /// Units that came out because of it: where the format changed, the rest of the old one. Throws reel::Error
  /// where the stream cannot be recorded; then it is as if the frame was lost.
  [[nodiscard]] std::vector<Unit> push(SpooledFrame frame);
  void lost(const SpooledFrame& first);
  /// What has come out of the encoder since.
  [[nodiscard]] std::vector<Unit> take();
  /// The rest; a frame may follow all the same.
  [[nodiscard]] std::vector<Unit> drain();
  void ask_for_key_frame();
  /// The encoder failed: what is in it is lost, the next frame begins a new one.
  void fail(const std::string& reason);

 private:
  struct Loss {
    std::int64_t start_ns = 0;
    std::uint64_t frames = 0;
    std::string reason;
  };
  void begin_chain(const SpooledFrame& frame);
  void lose(std::int64_t time_ns, std::uint64_t frames, const std::string& reason);
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
  std::optional<std::uint64_t> out_;  // the last frame that came out of an encoder
};

}  // namespace record
