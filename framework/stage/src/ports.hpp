// The inputs and outputs of one running stage, each with its counters in the stage's page. Made and used by
// run_stage() alone, in its thread; a stage may use different outputs from different threads.
#pragma once

#include "frame_chooser.hpp"
#include "stage_trace.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <reel/stage/loader.hpp>
#include <reel/stage/run.hpp>
#include <reel/stage/stage.hpp>
#include <reel/stats/stage_page.hpp>

namespace reel {

class LiveInput final : public Input {
 public:
  /// `joined`: its frames are taken in sets, so that some are left out.
  LiveInput(const InputSetup& setup, const PortSpec& spec, std::size_t index, bool joined,
            InputCounters& counters);

  [[nodiscard]] const std::string& port() const noexcept override { return port_; }
  [[nodiscard]] const std::string& stream() const noexcept override { return reader_.stream(); }
  [[nodiscard]] std::size_t index() const noexcept override { return index_; }
  [[nodiscard]] FrameReader& reader() noexcept override { return reader_; }

  /// The one that is being processed; its slot is held until it is released or read into again.
  Frame frame;
  bool ended = false;

  /// Throws Error{bad_config} when `taken` is of a kind that the port does not take, or that no frames can be
  /// left out of where the file wants that.
  void check_media(const Frame& taken) const;
  /// After ReadStatus::failed. Throws Error: {bad_config} where no life of this stage was let in yet.
  [[noreturn]] void fail() const;
  /// Counts a frame as handed on at `now_ns`.
  void count(const Frame& taken, std::int64_t now_ns) noexcept;
  /// Counts a frame that was read and is not handed on.
  void pass_over() noexcept;
  /// Brings the page up to date with the reader.
  void refresh() noexcept;

 private:
  std::string port_;
  std::uint32_t media_;
  std::size_t index_;
  bool leaves_out_;  // frames, as the file wants it
  FrameChooser chooser_;
  FrameReader reader_;
  InputCounters& counters_;
  std::uint64_t passed_over_ = 0;
  ReaderStats before_;  // what lives of this stage before this one have counted
};

class LiveOutput final : public Output {
 public:
  /// The `index`-th of the stage's; `trace` outlives it.
  LiveOutput(const OutputSetup& setup, const PortSpec& spec, std::size_t index, OutputCounters& counters,
             StageTrace& trace);

  [[nodiscard]] const std::string& port() const noexcept override { return port_; }
  [[nodiscard]] const std::string& stream() const noexcept override { return writer_.stream(); }
  [[nodiscard]] FrameWriter& writer() noexcept override { return writer_; }
  void set_format(const Format& format) override;
  [[nodiscard]] Loan acquire(std::size_t bytes) override;
  void publish(Loan loan, const FrameInfo& info) override;
  void publish_and_keep(Loan& loan, const FrameInfo& info) override;
  void write(std::span<const std::byte> payload, const FrameInfo& info,
             const SideDataView& side_data) override;

  void refresh() noexcept;
  /// Ends the wait for the declared readers before the first frame: that frame, and all after it, throw
  /// StopRequested. Does nothing once a frame was published. Thread-safe.
  void cancel_start() noexcept;
  /// End of stream. A stream without a frame waits for its declared readers first: else they would never hear
  /// of its end.
  void end(const StopSignal& stop);
  /// Until the readers have taken what they are owed, the stage is stopped, or `until_ns` (CLOCK_MONOTONIC).
  void drain(const StopSignal& stop, std::int64_t until_ns) noexcept;

 private:
  void require(WriteStatus status) const;
  void start();

  std::string port_;
  std::uint32_t media_;
  OutputTrace trace_;
  FrameWriter writer_;
  bool started_ = false;  // its readers have been waited for
  std::atomic<bool> cancelled_{false};
  OutputCounters& counters_;
  WriterStats before_;
};

/// Both throw Error{bad_config} for a port that the plugin has not, that is missing, or that has too many
/// streams, and what FrameReader and FrameWriter throw.
[[nodiscard]] std::vector<std::unique_ptr<LiveInput>> open_inputs(const Plugin& plugin,
                                                                  const StageSetup& setup, StagePage& page);
[[nodiscard]] std::vector<std::unique_ptr<LiveOutput>> open_outputs(const Plugin& plugin,
                                                                    const StageSetup& setup, StagePage& page,
                                                                    StageTrace& trace);

}  // namespace reel
