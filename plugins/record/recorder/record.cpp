// Stage `record`: writes video and sound into a directory of recordings. This thread only copies frames into
// the spool; Recorder does the rest.
#include "recorder/recorder.hpp"
#include "recorder/settings.hpp"

#include <csignal>
#include <map>
#include <memory>

#include <reel/base/log.hpp>
#include <reel/stage/plugin.hpp>

#include "media/chain.hpp"

namespace record {
namespace {

using reel::PortSpec;

constexpr std::array kInputs{
    PortSpec{"in", reel::kTakesVideo | reel::kTakesAudio | reel::kTakesEncoded,
             "raw video or sound, to be encoded, or encoded streams, kept as they are", true, true}};
constexpr int kWaitSlice_ms = 100;
constexpr std::int64_t kTold_ns = 10'000'000'000;

class Record final : public reel::Stage {
 public:
  void configure(const reel::Options& options) override { settings_ = record_settings(options); }
  void start(reel::StageContext& context) override;
  void process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) override;
  void input_ended(reel::StageContext& context, reel::Input& input) override;
  void stop(reel::StageContext& context) override;

 private:
  /// What frames of an input share, until it changes.
  struct Stream {
    std::size_t index = 0;
    std::shared_ptr<const reel::Format> format;
    std::shared_ptr<const reel::Segment> segment;
    std::uint64_t frames = 0;
    bool begun = false;  // a frame came of it that was not recorded before
  };
  [[nodiscard]] std::optional<std::uint64_t> missed_before(Stream& stream, reel::Input& input,
                                                           const reel::Frame& frame) const;
  [[nodiscard]] SpooledFrame describe(Stream& stream, const reel::Frame& frame);
  void wait_where_the_stream_can(reel::StageContext& context, const SpooledFrame& frame, std::uint64_t bytes);
  void tell_of_loss();

  RecordSettings settings_;
  std::unique_ptr<Recorder> recorder_;
  std::map<const reel::Input*, Stream> streams_;
  std::uint64_t told_ = 0;  // lost frames that were logged
  std::int64_t told_ns_ = 0;
};

void Record::start(reel::StageContext& context) {
  (void)::signal(SIGXFSZ, SIG_IGN);  // a limit of the file's size is an error like others
  gst_init(nullptr, nullptr);
  if (settings_.name.empty()) settings_.name = context.stage_name();
  std::vector<std::string> names;
  for (const reel::Input* input : context.inputs()) names.push_back(input->stream());
  recorder_ = std::make_unique<Recorder>(settings_, names, Numbers(context.metrics()));
  for (std::size_t i = 0; i < names.size(); ++i)
    streams_[context.inputs()[i]] = {i, nullptr, nullptr, recorder_->standing(i).next_number};
  told_ns_ = reel::monotonic_ns();
}

SpooledFrame Record::describe(Stream& stream, const reel::Frame& frame) {
  if (!stream.format || *stream.format != frame.format())
    stream.format = std::make_shared<reel::Format>(frame.format());
  if (frame.segment() == nullptr) {
    stream.segment.reset();
  } else if (!stream.segment || *stream.segment != *frame.segment()) {
    stream.segment = std::make_shared<reel::Segment>(*frame.segment());
  }
  SpooledFrame made;
  made.input = stream.index;
  made.number = stream.frames;
  made.sequence = frame.sequence();
  made.format = stream.format;
  made.segment = stream.segment;
  made.info = frame.info();
  made.layout = frame.layout();
  made.published_ns = frame.publish_ns();
  const auto side = frame.side_data().bytes();
  made.side_data.assign(side.begin(), side.end());
  return made;
}

/// A source that is not live waits for its readers: nothing of it needs to be lost.
void Record::wait_where_the_stream_can(reel::StageContext& context, const SpooledFrame& frame,
                                       std::uint64_t bytes) {
  const bool live = frame.info.pts_ns == reel::kNoTime || (frame.info.flags & reel::kFromLive) != 0 ||
                    (frame.segment && frame.segment->monotonic_offset_ns != reel::kNoTime);
  if (settings_.full_spool == "lose" || (settings_.full_spool == "auto" && live)) return;
  while (!context.stopping() && !recorder_->spool().wait_for_room(bytes, kWaitSlice_ms)) recorder_->check();
}

/// The first frame after a restart: what the recorder before had taken and not written counts as well.
/// nullopt: it had written this one.
std::optional<std::uint64_t> Record::missed_before(Stream& stream, reel::Input& input,
                                                   const reel::Frame& frame) const {
  if (stream.begun) return frame.missed_before();
  return recorder_->standing(stream.index)
      .missed_until(frame.sequence(), frame.missed_before(), input.reader().memory_created_ns());
}

void Record::process(reel::StageContext& context, reel::Input& input, const reel::Frame& frame) {
  recorder_->check();
  Stream& stream = streams_[&input];
  const std::optional<std::uint64_t> missed = missed_before(stream, input, frame);
  if (!missed) return;
  SpooledFrame made = describe(stream, frame);
  if (*missed != 0) {
    SpooledFrame behind = made;  // the one behind the loss, which ends where that begins
    behind.info.duration_ns = 0;
    recorder_->spool().put_lost(std::move(behind), *missed,
                                stream.begun ? "the stream went on without the recorder" : kWasAway);
    stream.frames += *missed;
    made.number = stream.frames;
  }
  stream.begun = true;
  ++stream.frames;
  wait_where_the_stream_can(context, made, frame.data().size());
  made.buffer = buffer_of(frame);
  (void)recorder_->spool().put(std::move(made));
  tell_of_loss();
}

void Record::tell_of_loss() {
  const std::int64_t now_ns = reel::monotonic_ns();
  if (now_ns - told_ns_ < kTold_ns) return;
  const std::uint64_t lost = recorder_->counts().lost;
  if (lost != told_) reel::log_warning(std::to_string(lost - told_) + " frames were lost in the last 10 s");
  told_ = lost;
  told_ns_ = now_ns;
}

void Record::input_ended(reel::StageContext& /*context*/, reel::Input& input) {
  recorder_->spool().end(streams_[&input].index);
}

void Record::stop(reel::StageContext& /*context*/) {
  if (!recorder_) return;
  recorder_->finish();
  recorder_->wait_for_files();
  const Spool::Counts counts = recorder_->counts();
  recorder_->check();
  recorder_.reset();
  reel::log_info("recording ended; " + std::to_string(counts.lost) + " frames were lost, at most " +
                 std::to_string(counts.most_frames) + " waited in the spool");
}

}  // namespace

REEL_STAGE(Record, "record", "records video and sound into files, in segments", kInputs, reel::no_ports,
           kRecordOptions)

}  // namespace record
