#include "sound_filter.hpp"

#include <string>
#include <utility>

#include <reel/base/log.hpp>

void SoundFilter::process(reel::StageContext& context, reel::Input& /*input*/, const reel::Frame& frame) {
  reel::Output& output = context.output();
  output.follow(frame);
  reel::Loan loan = output.acquire(frame.data().size());
  fill(loan, frame);
  if (!add_side_data(frame, loan.side_data()) && !std::exchange(warned_, true))
    tell_left_out(output, loan.side_data());
  output.publish(std::move(loan), frame.info());
}

void SoundFilter::other(reel::StageContext& context, reel::Input& /*input*/, const reel::Frame& frame) {
  context.output().follow(frame);
  context.output().write(frame.data(), frame.info(), frame.side_data());
}

bool SoundFilter::begins_anew(const reel::Frame& frame) {
  const reel::AudioFormat before = std::exchange(format_, *frame.format().audio());
  return before != format_ || (frame.info().flags & reel::kDiscont) != 0 || frame.missed_before() > 0;
}

void tell_left_out(const reel::Output& output, const reel::SideDataWriter& side_data) {
  reel::log_warning("side data of stream '" + output.stream() + "' does not fit the " +
                    std::to_string(side_data.capacity()) +
                    " bytes a frame and is left out in part: raise the stream's side_data_bytes");
}
