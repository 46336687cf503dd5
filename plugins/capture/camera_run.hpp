// A camera, for as long as the stage lives: connects, carries what it sends, and connects again when it is
// gone or sends nothing more. The streams stay the same; their times go on. Stage's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <reel/base/error.hpp>
#include <reel/stage/stage.hpp>

#include "absence.hpp"
#include "backoff.hpp"
#include "branches.hpp"
#include "outputs.hpp"
#include "run.hpp"
#include "source.hpp"

namespace capture {

struct CameraPlan {
  Conversion conversion;
  bool audio_optional = false;
  bool reconnect = true;
  std::int64_t stall_timeout_ms = 0;  // without a frame, connected or not; 0: for ever
  std::int64_t least_delay_ms = 0, most_delay_ms = 0;
};

class CameraRun : public Run {
 public:
  /// `source` must outlive this.
  CameraRun(const Source& source, const CameraPlan& plan, reel::StageContext& context);
  ~CameraRun() override { close(); }

  void start() override {}  // it may come later than its stage
  [[nodiscard]] bool produce() override;
  void close() noexcept override;

 private:
  [[nodiscard]] bool carry();
  void connect();
  void lost(const reel::Error& error);
  [[nodiscard]] bool is_final(const reel::Error& error) const noexcept;
  void check_stall() const;
  void look_at_frames();
  void tell_of_drops();

  const Source& source_;
  const CameraPlan plan_;
  reel::StageContext& context_;
  reel::Gauge present_;
  reel::Counter connects_, losses_;
  Backoff backoff_;
  Absence absence_;
  Timeline timeline_;
  GstClockTime base_time_ = GST_CLOCK_TIME_NONE;  // of all connections
  std::int64_t connected_ns_ = 0;                 // when this connection was tried
  std::int64_t first_frame_ns_ = 0;               // of this connection; 0: none yet
  std::int64_t next_try_ns_ = 0;
  PerMedia<std::uint64_t> dropped_;  // of this connection, as told
  std::int64_t drops_told_ns_ = 0;
  std::unique_ptr<Playback> playback_;
  Outputs outputs_;  // behind the playback that they use
};

}  // namespace capture
