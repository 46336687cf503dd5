// A clip or test picture from its beginning to its end, and again where it loops. Stage's thread.
#pragma once

#include <memory>

#include <reel/stage/stage.hpp>

#include "branches.hpp"
#include "outputs.hpp"
#include "run.hpp"
#include "source.hpp"

namespace capture {

struct ClipPlan {
  Conversion conversion;
  Pace pace = Pace::clock;
  bool loop = false;
  bool audio_optional = false;
};

class ClipRun : public Run {
 public:
  /// `source` must outlive this.
  ClipRun(const Source& source, const ClipPlan& plan, reel::StageContext& context);
  ~ClipRun() override { close(); }

  void start() override;
  [[nodiscard]] bool produce() override;
  void close() noexcept override;

 private:
  [[nodiscard]] bool open();
  [[nodiscard]] Playback::Preroll preroll();
  void set_format(Media media);
  void play();
  [[nodiscard]] bool next_pass();
  void tell_of_drops();

  const Source& source_;
  const ClipPlan plan_;
  reel::StageContext& context_;
  Timeline timeline_;
  GstClockTime first_base_time_ = GST_CLOCK_TIME_NONE;  // of the first pass
  std::uint64_t published_before_ = 0;                  // this pass
  std::unique_ptr<Playback> playback_;
  Outputs outputs_;  // behind the playback that they use
};

}  // namespace capture
