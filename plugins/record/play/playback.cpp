// Stage `playback`: publishes what a recording holds once more, as streams with their own times and side
// data.
#include "play/pace.hpp"
#include "play/player.hpp"
#include "play/recording.hpp"
#include "play/rounds.hpp"
#include "play/steps.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/gst/read_map.hpp>
#include <reel/gst/video_buffer.hpp>
#include <reel/stage/plugin.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr std::uint32_t kMedia = reel::kTakesVideo | reel::kTakesAudio | reel::kTakesEncoded;
constexpr std::array kOutputs{
    PortSpec{"out", kMedia, "streams of the recording, by their names or as `streams` says", true, true}};
constexpr std::array kOptions{
    OptionSpec{"path", OptionType::path, nullptr, "a recorded file, or a directory of recordings"},
    OptionSpec{"recording", OptionType::text, "",
               "which one of a directory (the name of its recorder); empty: the only one"},
    OptionSpec{"streams", OptionType::list, "",
               "the recorded stream of each output, in their order; none: those of the outputs' names"},
    OptionSpec{"from", OptionType::text, "",
               "a time such as 2026-11-22T14:03:00Z or \"2026-11-22 14:03\" (local), or +90s after the "
               "recording's start; empty: its start"},
    OptionSpec{"to", OptionType::text, "", "the same; the first that is not played; empty: its end"},
    OptionSpec{"speed", OptionType::number, "1", "1: as it was; 2: twice as fast; 0: as readers take it",
               "0..1000"},
    OptionSpec{
        "steps", OptionType::path, "",
        "a named pipe: each line that is written into it lets one picture out, with the sound before it"},
    OptionSpec{"skip_gaps", OptionType::duration, "0",
               "times without any frame that are longer are made so short; 0: they are kept", "0s.."},
    OptionSpec{"loop", OptionType::boolean, "false",
               "begin again at the end, with times and source numbers that go on"},
    OptionSpec{"encoded", OptionType::boolean, "false", "give what the files hold, not decoded"},
    OptionSpec{"wait_for", OptionType::integer, "0",
               "readers that must have come, over all outputs, before the first frame; those of the pipeline "
               "are waited for as ever",
               "0..64"}};

constexpr std::int64_t kSlice_ns = 50'000'000;  // how late a stop may be noticed

class Playback final : public reel::Stage {
 public:
  void configure(const reel::Options& options) override;
  void start(reel::StageContext& context) override;
  [[nodiscard]] bool produce(reel::StageContext& context) override;
  void stop(reel::StageContext& context) override;

 private:
  [[nodiscard]] std::vector<std::string> streams_of(const std::vector<reel::Output*>& outputs) const;
  [[nodiscard]] bool readers_are_there(reel::StageContext& context);
  [[nodiscard]] std::optional<record::Player::Next> next_frame();
  void complain();
  [[nodiscard]] bool is_due();
  void publish(reel::Output& output, const record::PlayFrame& frame);
  void publish_picture(reel::Output& output, const record::PlayFrame& frame);
  void add_side_data(reel::Loan& loan, const record::PlayFrame& frame);

  record::Selection selection_;
  std::vector<std::string> streams_;
  bool encoded_ = false;
  bool loop_ = false;
  std::size_t wait_for_ = 0;
  std::optional<record::Pace> pace_;
  std::optional<record::Steps> steps_;
  std::string steps_path_;
  record::Player::Settings played_;
  std::optional<record::Player> player_;
  std::optional<record::Rounds> rounds_;  // with `loop`
  std::set<std::string> complaints_;      // that were logged
  std::optional<record::Player::Next> next_;
  std::size_t stepped_ = 0;  // the stream whose frames are counted as steps
  std::int64_t due_ns_ = reel::kNoTime;
  bool readers_came_ = false;
  std::uint64_t without_room_ = 0;
};

void Playback::configure(const reel::Options& options) {
  selection_ = {options.text("path"), options.text("recording"), options.text("from"), options.text("to")};
  streams_ = options.list("streams");
  encoded_ = options.boolean("encoded");
  loop_ = options.boolean("loop");
  wait_for_ = static_cast<std::size_t>(options.integer("wait_for"));
  steps_path_ = options.text("steps");
  if (!steps_path_.empty() && options.given("speed"))
    throw reel::Error(reel::ErrorCode::bad_config,
                      "the options speed and steps exclude each other: with steps, each line is a frame");
  pace_.emplace(steps_path_.empty() ? options.number("speed") : 0, options.duration_ns("skip_gaps"));
}

std::vector<std::string> Playback::streams_of(const std::vector<reel::Output*>& outputs) const {
  if (!streams_.empty() && streams_.size() != outputs.size())
    throw reel::Error(reel::ErrorCode::bad_config,
                      "the option streams names " + std::to_string(streams_.size()) + " streams for " +
                          std::to_string(outputs.size()) + " outputs: give one for each, in their order");
  std::vector<std::string> names = streams_;
  if (names.empty())
    for (const reel::Output* output : outputs) names.push_back(output->stream());
  return names;
}

void Playback::start(reel::StageContext& context) {
  gst_init(nullptr, nullptr);
  if (!steps_path_.empty()) steps_.emplace(steps_path_);
  record::Recording recording = record::find_recording(selection_);
  const std::vector<std::string> names = streams_of(context.outputs());
  for (const record::FactsTrack& track : recording.streams()) {
    const auto found = std::find(names.begin(), names.end(), track.stream);
    if (found == names.end() || track.media != "video") continue;
    stepped_ = static_cast<std::size_t>(found - names.begin());
    break;
  }
  played_ = {std::move(recording), names, encoded_};
  player_.emplace(played_);
  if (loop_) rounds_.emplace(names.size());
  // Readers can join once there is a format.
  for (std::size_t i = 0; i < names.size(); ++i)
    if (const auto format = player_->format(i)) context.outputs()[i]->set_format(*format);
}

bool Playback::readers_are_there(reel::StageContext& context) {
  if (readers_came_) return true;
  std::size_t readers = 0;
  for (const reel::Output* output : context.outputs())
    readers += const_cast<reel::Output*>(output)->writer().readers().size();
  readers_came_ = readers >= wait_for_;
  if (!readers_came_) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(kSlice_ns));
    return false;
  }
  // The clock starts when they are all there, so that none is met by a burst of late frames.
  for (reel::Output* output : context.outputs()) static_cast<void>(output->writer().wait_for_readers());
  return true;
}

bool Playback::is_due() {
  if (steps_) return next_->stream != stepped_ || steps_->take(static_cast<int>(kSlice_ns / 1'000'000));
  const std::int64_t now_ns = reel::monotonic_ns();
  if (due_ns_ == reel::kNoTime) due_ns_ = pace_->due_ns(next_->frame.media_ns, now_ns);
  if (due_ns_ <= now_ns) return true;
  std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(due_ns_ - now_ns, kSlice_ns)));
  return due_ns_ <= reel::monotonic_ns();
}

std::optional<record::Player::Next> Playback::next_frame() {
  while (true) {
    std::optional<record::Player::Next> next = player_->next();
    if (next && rounds_) rounds_->place(next->stream, next->frame);
    if (next || !rounds_ || !rounds_->next()) return next;
    complain();
    player_.emplace(played_);
  }
}

// Each round may lack the same: that is told once.
void Playback::complain() {
  for (const std::string& complaint : player_->complaints())
    if (complaints_.insert(complaint).second) reel::log_warning(complaint);
}

bool Playback::produce(reel::StageContext& context) {
  if (!readers_are_there(context)) return true;
  if (!next_) next_ = next_frame();
  if (!next_) return false;
  if (!is_due()) return true;
  const record::Player::Next next = std::move(*next_);
  next_.reset();
  due_ns_ = reel::kNoTime;
  publish(*context.outputs()[next.stream], next.frame);
  return true;
}

void Playback::publish(reel::Output& output, const record::PlayFrame& frame) {
  output.set_format(*frame.format);
  if (frame.format->video() != nullptr) return publish_picture(output, frame);
  const reel::gst::ReadMap map(frame.buffer.get());
  reel::Loan loan = output.acquire(map.bytes().size());
  static_cast<void>(loan.copy_from(map.bytes()));
  add_side_data(loan, frame);
  output.publish(std::move(loan), frame.info);
}

void Playback::publish_picture(reel::Output& output, const record::PlayFrame& frame) {
  GstVideoInfo info;
  if (gst_video_info_from_caps(&info, frame.caps.get()) == FALSE)
    throw reel::Error(reel::ErrorCode::internal, "a decoder's pictures have no planes");
  const reel::gst::VideoBuffer picture(frame.buffer.get(), info, *frame.format);
  reel::Loan loan = output.acquire(picture.bytes());
  static_cast<void>(picture.copy_to(loan));
  add_side_data(loan, frame);
  output.publish(std::move(loan), frame.info);
}

void Playback::add_side_data(reel::Loan& loan, const record::PlayFrame& frame) {
  if (frame.side_data.empty()) return;
  if (!loan.side_data().add_all(reel::SideDataView(frame.side_data))) ++without_room_;
}

void Playback::stop(reel::StageContext& /*context*/) {
  if (!player_) return;
  complain();
  if (without_room_ != 0)
    reel::log_warning("the side data of " + std::to_string(without_room_) +
                      " frames did not fit their slots: raise side_data_bytes of the streams");
}

}  // namespace

REEL_STAGE(Playback, "playback", "Publishes a recording's streams again", reel::no_ports, kOutputs, kOptions)
