#include "picture_filter.hpp"

#include <string>
#include <utility>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

void PictureFilter::process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) {
  (void)require_video(frame, input.stream());
  reel::Output& output = context.output();
  output.follow(frame, output_format(frame));
  reel::Loan loan = fill(output, frame);
  if (!add_side_data(frame, loan.side_data()) && !std::exchange(warned_, true))
    tell_left_out(output, loan.side_data());
  output.publish(std::move(loan), frame.info());
}

void PictureFilter::other(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) {
  (void)require_video(frame, input.stream());
  reel::Output& output = context.output();
  output.follow(frame, output_format(frame));
  output.write(frame.data(), frame.info(), frame.side_data());
}

void tell_left_out(const reel::Output& output, const reel::SideDataWriter& side_data) {
  reel::log_warning("side data of stream '" + output.stream() + "' does not fit the " +
                    std::to_string(side_data.capacity()) +
                    " bytes a frame and is left out in part: raise the stream's side_data_bytes");
}

const reel::VideoFormat& require_video(const reel::Frame& frame, std::string_view stream) {
  const reel::VideoFormat* video = frame.format().video();
  if (video == nullptr)
    throw reel::Error(reel::ErrorCode::bad_config,
                      "stream '" + std::string(stream) + "' carries \"" + frame.format().caps() +
                          "\", and this filter needs raw video: connect a video stream");
  return *video;
}

std::optional<reel::PixelFormat> pixel_format_option(const std::string& name) {
  if (name == "same") return std::nullopt;
  if (const auto format = reel::pixel_format_from(name)) return format;
  throw reel::Error(reel::ErrorCode::bad_config,
                    "no pixel format \"" + name + "\": one of " + kPixelFormatNames);
}

reel::Format with_pixel_format(const reel::Frame& frame, std::optional<reel::PixelFormat> pixel) {
  reel::VideoFormat video = *frame.format().video();
  if (!pixel || *pixel == video.pixel) return frame.format();
  video.pixel = *pixel;
  return video;
}
