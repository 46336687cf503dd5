// A stage: what runs in a process of its own between streams. Subclass it, declare it with REEL_STAGE
// (plugin.hpp). All calls come from one thread, in the order configure, start, process (process_set where its
// inputs are joined) or produce again and again, stop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>
#include <reel/stage/options.hpp>
#include <reel/stats/metrics.hpp>

namespace reel {

/// Thrown out of Output::acquire and write when the stage is to stop now; the loop catches it. Let it pass.
struct StopRequested {};

/// One input of a running stage.
class Input {
 public:
  virtual ~Input() = default;
  [[nodiscard]] virtual const std::string& port() const noexcept = 0;  // the name that the plugin declares
  [[nodiscard]] virtual const std::string& stream() const noexcept = 0;
  /// Position among the inputs of the same port, from 0: a display has one port and many streams.
  [[nodiscard]] virtual std::size_t index() const noexcept = 0;
  [[nodiscard]] virtual FrameReader& reader() noexcept = 0;
};

/// One output of a running stage. Different outputs may be used from different threads; one output from one
/// at a time.
class Output {
 public:
  virtual ~Output() = default;
  [[nodiscard]] virtual const std::string& port() const noexcept = 0;
  [[nodiscard]] virtual const std::string& stream() const noexcept = 0;
  [[nodiscard]] virtual FrameWriter& writer() noexcept = 0;

  /// For the frames acquired from now on; nothing happens when it is the present one.
  virtual void set_format(const Format& format) = 0;
  /// The same, and the segment and tags that `frame` names: what a filter calls before it makes its frame of
  /// `frame`, so that what that one refers to goes on with it.
  void follow(const Frame& frame, const Format& format) {
    set_format(format);
    if (frame.segment() != nullptr) writer().set_segment(*frame.segment());
    if (frame.tags() != nullptr) writer().set_tags(*frame.tags());
  }
  void follow(const Frame& frame) { follow(frame, frame.format()); }
  /// A slot to fill, of `bytes` or of the format's own size. Waits for readers where their policy says so.
  /// Throws StopRequested; Error when the memory cannot grow.
  [[nodiscard]] virtual Loan acquire(std::size_t bytes = 0) = 0;
  /// Throws Error{bad_argument} for a layout that does not fit.
  virtual void publish(Loan loan, const FrameInfo& info) = 0;
  /// The same; the slot is not used again before `loan` is dropped too (FrameWriter::publish_and_keep).
  virtual void publish_and_keep(Loan& loan, const FrameInfo& info) = 0;
  /// acquire, one fused copy and hash, publish.
  virtual void write(std::span<const std::byte> payload, const FrameInfo& info,
                     const SideDataView& side_data = {}) = 0;
};

/// What a stage sees of the world.
class StageContext {
 public:
  virtual ~StageContext() = default;
  [[nodiscard]] virtual const std::string& stage_name() const noexcept = 0;
  [[nodiscard]] virtual const std::vector<Input*>& inputs() const noexcept = 0;
  [[nodiscard]] virtual const std::vector<Output*>& outputs() const noexcept = 0;
  /// The output of a port; the first one for an empty name. nullptr when the pipeline connects none to it.
  [[nodiscard]] virtual Output* find_output(std::string_view port) noexcept = 0;
  /// The same; throws Error{bad_config} when it is not connected.
  [[nodiscard]] virtual Output& output(std::string_view port = "out") = 0;
  /// True once the stage is to end: a source when its pipeline drains, any other when it is stopped.
  /// Thread-safe.
  [[nodiscard]] virtual bool stopping() const noexcept = 0;
  /// Ends the stage after this call, its outputs with an end of stream: for a stage that has done its work
  /// (snapshot: one picture). Thread-safe.
  virtual void finish() noexcept = 0;
  /// Numbers that the stage tells about itself: `reel inspect` and `GET /metrics` show them (metrics.hpp says
  /// what names are). Asked for in start(); used from any thread until the stage is destroyed.
  [[nodiscard]] virtual StageMetrics& metrics() noexcept = 0;
};

/// Frames that belong together, one of each input: see Stage::process_set.
struct FrameSet {
  std::span<const Frame* const> frames;  // in the order of StageContext::inputs(); none is nullptr

  [[nodiscard]] std::size_t size() const noexcept { return frames.size(); }
  [[nodiscard]] const Frame& operator[](std::size_t input) const noexcept { return *frames[input]; }
};

class Stage {
 public:
  virtual ~Stage() = default;
  /// Reads its options. Throws Error{bad_config} for combinations that the declarations cannot refuse.
  virtual void configure(const Options& /*options*/) {}
  /// Opens devices, files, models. Throws Error; streams are open by now.
  virtual void start(StageContext& /*context*/) {}
  /// Stages with inputs: one media frame of one input. The frame is held until this returns. A thrown Error
  /// ends the stage as failed.
  virtual void process(StageContext& /*context*/, Input& /*input*/, const Frame& /*frame*/) {}
  /// Stages whose inputs the pipeline file joins (`join`), instead of process(): one media frame of each
  /// input, all taken at one time within the tolerance that the file gives; each frame is in one set at most,
  /// and what has no partner never comes. All are held until this returns. A stage that does not override it
  /// is given the frames one by one, in the order of the inputs. Gaps and events still go to other(). Once an
  /// input has ended there are no more sets: input_ended() for that one, then stop().
  virtual void process_set(StageContext& context, const FrameSet& set) {
    for (std::size_t i = 0; i < set.size(); ++i) process(context, *context.inputs()[i], set[i]);
  }
  /// Stages with inputs: a gap in the stream, or a custom event (frame.info().kind says which). Neither has a
  /// picture or sound.
  virtual void other(StageContext& /*context*/, Input& /*input*/, const Frame& /*frame*/) {}
  /// Stages with inputs: the input has ended; no more frames come from it.
  virtual void input_ended(StageContext& /*context*/, Input& /*input*/) {}
  /// Stages without inputs: publishes the next frame or frames; returns false at the end of the source. Must
  /// return within about 100 ms while there is nothing to publish, and look at context.stopping() where it
  /// waits itself.
  [[nodiscard]] virtual bool produce(StageContext& /*context*/) { return false; }
  /// After the last frame, before the end of stream is published. Also when stopped early.
  virtual void stop(StageContext& /*context*/) {}
};

}  // namespace reel
