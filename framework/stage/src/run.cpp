#include "ports.hpp"

#include <exception>
#include <optional>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/time_slice.hpp>
#include <reel/stage/run.hpp>

namespace reel {
namespace {

constexpr std::int64_t kRefreshEvery_ns = 100'000'000;
constexpr int kIdle_ms = 250;  // how long the counters of a stage that waits may stay behind
constexpr std::int64_t kDrainLimit_ns = 10'000'000'000;

// One life of one stage.
class StageRun final : public StageContext {
 public:
  StageRun(const Plugin& plugin, const StageSetup& setup, const StopSignal& stop, StagePage& page)
      : plugin_(plugin), setup_(setup), stop_(stop), page_(page) {}
  ~StageRun() override { count_all(); }  // a failed stage's last frames count too

  void run();

  [[nodiscard]] const std::string& stage_name() const noexcept override { return setup_.name; }
  [[nodiscard]] const std::vector<Input*>& inputs() const noexcept override { return input_list_; }
  [[nodiscard]] const std::vector<Output*>& outputs() const noexcept override { return output_list_; }
  [[nodiscard]] Output* find_output(std::string_view port) noexcept override;
  [[nodiscard]] Output& output(std::string_view port) override;
  [[nodiscard]] bool stopping() const noexcept override {
    return is_source() ? stop_.draining() : stop_.stopped();
  }
  void finish() noexcept override { finished_.store(true, std::memory_order_relaxed); }

 private:
  [[nodiscard]] bool is_source() const noexcept { return setup_.inputs.empty(); }
  [[nodiscard]] bool over() const noexcept {
    return stop_.stopped() || finished_.load(std::memory_order_relaxed);
  }
  void set_state(StageState state) noexcept {
    page_.state.store(static_cast<std::uint32_t>(state), std::memory_order_relaxed);
  }

  void open();
  void interrupt_all() noexcept;
  void produce_all();
  void process_all();
  bool take(std::size_t index, int timeout_ms);
  void end(LiveInput& input);
  [[nodiscard]] bool writer_gone(std::size_t index) const noexcept;
  void hand_on(LiveInput& input);
  void wait();
  void refresh() noexcept;
  void count_all() noexcept;
  void end_outputs();

  template <typename Call>
  void call(const char* step, Call&& plugin_call);
  template <typename Call>
  void timed(const char* step, std::int64_t start_ns, Call&& plugin_call);

  const Plugin& plugin_;
  const StageSetup& setup_;
  const StopSignal& stop_;
  StagePage& page_;
  std::atomic<bool> finished_{false};
  std::int64_t refreshed_ns_ = 0;
  std::size_t open_inputs_ = 0;  // that have not ended
  std::vector<std::unique_ptr<LiveInput>> inputs_;
  std::vector<std::unique_ptr<LiveOutput>> outputs_;
  std::vector<Input*> input_list_;
  std::vector<Output*> output_list_;
  std::vector<pollfd> polled_;
  std::unique_ptr<Stage> stage_;  // last: gone before the streams it uses
};

void StageRun::run() {
  page_.pid.store(static_cast<std::uint32_t>(::getpid()), std::memory_order_relaxed);
  set_state(StageState::starting);
  open();
  const StopSignal::Interrupt interrupt(stop_, [this] { interrupt_all(); });
  try {
    call("start", [&] { stage_->start(*this); });
    set_state(StageState::running);
    if (is_source()) {
      produce_all();
    } else {
      process_all();
    }
  } catch (const StopRequested&) {  // thrown by an output; passed on by the stage
  }
  set_state(StageState::draining);
  try {
    call("stop", [&] { stage_->stop(*this); });
  } catch (const StopRequested&) {
  }
  end_outputs();
  set_state(StageState::finished);
}

void StageRun::open() {
  call("the constructor", [&] { stage_ = plugin_.create(); });
  const Options options(plugin_.options(), setup_.options, setup_.base_directory);
  call("configure", [&] { stage_->configure(options); });
  outputs_ = open_outputs(plugin_, setup_, page_);
  inputs_ = open_inputs(plugin_, setup_, page_);
  open_inputs_ = inputs_.size();
  for (const auto& input : inputs_) input_list_.push_back(input.get());
  for (const auto& output : outputs_) output_list_.push_back(output.get());
  polled_.reserve(inputs_.size() + 1);
}

// In the thread that drains or stops the stage.
void StageRun::interrupt_all() noexcept {
  if (!stop_.stopped()) {
    // Readers that have not come by now are not waited for any longer; frames under way are brought to an
    // end.
    if (is_source())
      for (const auto& output : outputs_) output->cancel_start();
    return;
  }
  for (const auto& input : inputs_) input->reader().interrupt();
  for (const auto& output : outputs_) output->writer().interrupt();
}

void StageRun::produce_all() {
  bool more = true;
  while (more && !over() && !stop_.draining()) {
    timed("produce", monotonic_ns(), [&] { more = stage_->produce(*this); });
  }
}

void StageRun::process_all() {
  const ShortSlices slices;
  while (open_inputs_ > 0 && !over()) {
    bool any = false;
    // One frame of each in turn: a fast input does not starve the others.
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (!inputs_[i]->ended && !over()) any = take(i, 0) || any;
    }
    if (!any && open_inputs_ > 0) wait();
  }
}

// SYNC page.ended_inputs: acquire, pairs with the supervisor's release once the writer's process was reaped.
bool StageRun::writer_gone(std::size_t index) const noexcept {
  return (page_.ended_inputs.load(std::memory_order_acquire) >> index & 1) != 0;
}

void StageRun::end(LiveInput& input) {
  input.ended = true;
  --open_inputs_;
  call("input_ended", [&] { stage_->input_ended(*this, input); });
}

// Returns whether there may be more to read at once.
bool StageRun::take(std::size_t index, int timeout_ms) {
  LiveInput& input = *inputs_[index];
  const bool writer_gone_before = writer_gone(index);  // nothing is published after this look, then
  switch (input.reader().read(input.frame, timeout_ms)) {
    case ReadStatus::frame: hand_on(input); return true;
    case ReadStatus::empty:
      // It never met the writer, or the writer left without an end: no other will come.
      if (!writer_gone_before || input.reader().connected()) return false;
      end(input);
      return true;
    case ReadStatus::interrupted: return false;
    case ReadStatus::ended: end(input); return true;
    case ReadStatus::closed:
      throw Error(ErrorCode::closed,
                  fmt::format("the writer of the stream \"{}\" went away without ending it", input.stream()));
    case ReadStatus::too_many_held:
      throw Error(ErrorCode::plugin,
                  fmt::format("{} keeps more frames of the stream \"{}\" than its reader may hold: release "
                              "some, or raise the input's max_pins",
                              plugin_.descriptor().name, input.stream()));
    case ReadStatus::failed: input.fail();
  }
  return false;
}

void StageRun::hand_on(LiveInput& input) {
  if (input.frame.info().kind != FrameKind::media) {
    call("other", [&] { stage_->other(*this, input, input.frame); });
  } else {
    input.check_media();
    const std::int64_t now_ns = monotonic_ns();
    input.count(now_ns);
    timed("process", now_ns, [&] { stage_->process(*this, input, input.frame); });
  }
  input.frame.release();
}

void StageRun::wait() {
  refresh();
  if (open_inputs_ ==
      1) {  // a reader alone knows cheaper ways to wait than its descriptor; interrupt_all() wakes it
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      if (!inputs_[i]->ended) (void)take(i, kIdle_ms);
    return;
  }
  polled_.assign(1, pollfd{stop_.fd(), POLLIN, 0});
  for (const auto& input : inputs_) {
    if (input->ended) continue;
    if (!input->reader().prepare_wait()) return;
    polled_.push_back({input->reader().fd(), POLLIN, 0});
  }
  // An interrupted call is as good as a wake: everything is looked at again.
  (void)::poll(polled_.data(), polled_.size(), kIdle_ms);
}

void StageRun::count_all() noexcept {
  for (const auto& input : inputs_) input->refresh();
  for (const auto& output : outputs_) output->refresh();
}

void StageRun::refresh() noexcept {
  count_all();
  if (stop_.draining()) set_state(StageState::draining);
  refreshed_ns_ = monotonic_ns();
}

void StageRun::end_outputs() {
  refresh();
  stage_.reset();
  for (const auto& output : outputs_) output->end(stop_);
  // Nobody upstream shall wait for this stage while it waits for those downstream.
  input_list_.clear();
  inputs_.clear();
  const std::int64_t until_ns = monotonic_ns() + kDrainLimit_ns;
  for (const auto& output : outputs_) output->drain(stop_, until_ns);
  count_all();
}

Output* StageRun::find_output(std::string_view port) noexcept {
  for (const auto& output : outputs_)
    if (port.empty() || output->port() == port) return output.get();
  return nullptr;
}

Output& StageRun::output(std::string_view port) {
  if (Output* found = find_output(port); found != nullptr) return *found;
  throw Error(ErrorCode::bad_config, fmt::format("the output \"{}\" of {} is not connected to a stream", port,
                                                 plugin_.descriptor().name));
}

template <typename Call>
void StageRun::call(const char* step, Call&& plugin_call) {
  try {
    plugin_call();
  } catch (const StopRequested&) {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& thrown) {
    throw Error(ErrorCode::plugin,
                fmt::format("{} threw in {}: {}", plugin_.descriptor().name, step, thrown.what()));
  } catch (...) {
    throw Error(ErrorCode::plugin, fmt::format("{} threw in {} something that is no exception",
                                               plugin_.descriptor().name, step));
  }
}

template <typename Call>
void StageRun::timed(const char* step, std::int64_t start_ns, Call&& plugin_call) {
  call(step, plugin_call);
  const std::int64_t end_ns = monotonic_ns();
  page_.process_ns.store(
      page_.process_ns.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(end_ns - start_ns),
      std::memory_order_relaxed);
  if (end_ns - refreshed_ns_ >= kRefreshEvery_ns) refresh();
}

}  // namespace

void run_stage(const Plugin& plugin, const StageSetup& setup, const StopSignal& stop, StagePage& page) {
  try {
    StageRun(plugin, setup, stop, page).run();
  } catch (const Error& error) {
    page.state.store(static_cast<std::uint32_t>(StageState::failed), std::memory_order_relaxed);
    throw Error(error.code(), error.what(), setup.name);
  }
}

}  // namespace reel
