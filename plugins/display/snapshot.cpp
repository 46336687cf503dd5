// Stage `snapshot`: writes frames as PNG files, whole or not at all, and ends after a number of them.
#include "png_file.hpp"

#include <algorithm>
#include <map>

#include <opencv2/core/utility.hpp>

#include <reel/base/log.hpp>
#include <reel/channel/opencv_convert.hpp>
#include <reel/stage/plugin.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::array kInputs{PortSpec{"in", reel::kTakesVideo, "raw video of any pixel format", true, true}};
constexpr std::array kOptions{
    OptionSpec{
        "path", OptionType::path, "snapshots/{stream}-{n}.png",
        "file to write; {stream}, {n} (from 1), {sequence} and {time} (seconds.milliseconds) are filled in"},
    OptionSpec{"count", OptionType::integer, "1",
               "pictures to write of each stream, then it ends; 0: no limit", "0.."},
    OptionSpec{"every", OptionType::integer, "1", "take each Nth of the frames that qualify", "1.."},
    OptionSpec{"after", OptionType::number, "0",
               "seconds of presentation time before which no frame is taken", "0.."},
    OptionSpec{"with_detections", OptionType::boolean, "false",
               "take only frames in which something was detected"}};

class Snapshot final : public reel::Stage {
 public:
  void configure(const reel::Options& options) override;
  void start(reel::StageContext& context) override;
  void process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;
  void input_ended(reel::StageContext& context, reel::Input& input) override;

 private:
  struct Progress {
    std::uint64_t qualified = 0;
    std::int64_t written = 0;
  };
  [[nodiscard]] bool qualifies(const reel::Frame& frame) const;

  std::string pattern_;
  std::int64_t count_ = 1;
  std::uint64_t every_ = 1;
  std::int64_t after_ns_ = 0;
  bool with_detections_ = false;
  std::map<const reel::Input*, Progress> progress_;
};

void Snapshot::configure(const reel::Options& options) {
  pattern_ = options.text("path");
  count_ = options.integer("count");
  every_ = static_cast<std::uint64_t>(options.integer("every"));
  after_ns_ = static_cast<std::int64_t>(options.number("after") * 1e9);
  with_detections_ = options.boolean("with_detections");
  check_path_pattern(pattern_, count_ != 1);
}

void Snapshot::start(reel::StageContext& context) {
  cv::setNumThreads(1);
  if (context.inputs().size() > 1 && pattern_.find("{stream}") == std::string::npos)
    throw reel::Error(reel::ErrorCode::bad_config,
                      "path \"" + pattern_ + "\" is the same for several streams: put {stream} into it");
  for (const reel::Input* input : context.inputs()) progress_[input] = {};
}

bool Snapshot::qualifies(const reel::Frame& frame) const {
  if (after_ns_ > 0 && (frame.info().pts_ns == reel::kNoTime || frame.info().pts_ns < after_ns_))
    return false;
  if (!with_detections_) return true;
  for (const auto& entry : frame.side_data())
    if (!reel::SideDataView::detections(entry).empty()) return true;
  return false;
}

void Snapshot::process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) {
  Progress& progress = progress_[&input];
  if ((count_ != 0 && progress.written >= count_) || !qualifies(frame)) return;
  if (progress.qualified++ % every_ != 0) return;
  const std::string path =
      fill_path_pattern(pattern_, {input.stream(), static_cast<std::uint64_t>(progress.written) + 1,
                                   frame.sequence(), frame.info().pts_ns});
  write_png(path, reel::to_bgr(frame));
  ++progress.written;
  reel::log_info("wrote " + path);
  const bool done = std::all_of(progress_.begin(), progress_.end(), [&](const auto& stream) {
    return count_ != 0 && stream.second.written >= count_;
  });
  if (done) context.finish();
}

void Snapshot::input_ended(reel::StageContext& /*context*/, reel::Input& input) {
  const Progress& progress = progress_[&input];
  if (progress.written < std::max<std::int64_t>(count_, 1))
    reel::log_warning("stream '" + input.stream() + "' ended after " + std::to_string(progress.written) +
                      " pictures" + (progress.qualified == 0 ? ": no frame qualified" : ""));
}

}  // namespace

REEL_STAGE(Snapshot, "snapshot", "writes frames as PNG files", kInputs, reel::no_ports, kOptions)
