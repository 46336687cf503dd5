// What the filters of this folder with one input have in common: sound in, as much sound of the same format
// out, everything said about it kept. A filter subclasses it. Single-thread, as every stage.
#pragma once

#include <array>

#include <reel/stage/plugin.hpp>

/// Passes on times, flags, capture time, segments, tags, gaps, events and side data.
class SoundFilter : public reel::Stage {
 public:
  void process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;
  void other(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;

 protected:
  /// The sound that comes out, in a loan of the size of the frame's. The same unless overridden.
  virtual void fill(reel::Loan& loan, const reel::Frame& frame) {
    static_cast<void>(loan.copy_from(frame.data()));  // acquire() has made room for it
  }
  /// The side data of what comes out; false when it does not fit. What was found unless overridden.
  [[nodiscard]] virtual bool add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) {
    return side_data.add_all(frame.side_data());
  }
  /// Whether the frame does not continue the sound before it: another format, a break, frames missed.
  [[nodiscard]] bool begins_anew(const reel::Frame& frame);

 private:
  bool warned_ = false;
  reel::AudioFormat format_;
};

/// Warns that not all side data fits a frame of `output`, and says what to do. Once is enough: the caller's.
void tell_left_out(const reel::Output& output, const reel::SideDataWriter& side_data);

inline constexpr std::array kSoundIn{
    reel::PortSpec{"in", reel::kTakesAudio, "raw sound: S16LE, S32LE or F32LE, interleaved"}};
