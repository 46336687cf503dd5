#include "joined_inputs.hpp"
#include "ports.hpp"
#include "stage_trace.hpp"

#include <algorithm>
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
class StageRun final : public StageContext, private SetReceiver {
 public:
  StageRun(const Plugin& plugin, const StageSetup& setup, const StopSignal& stop, StagePage& page)
      : plugin_(plugin), setup_(setup), stop_(stop), page_(page), trace_(page), metrics_(page.metrics) {}
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
  [[nodiscard]] StageMetrics& metrics() noexcept override { return metrics_; }

 private:
  [[nodiscard]] bool is_source() const noexcept { return setup_.inputs.empty(); }
  [[nodiscard]] bool over() const noexcept {
    return stop_.stopped() || finished_.load(std::memory_order_relaxed);
  }
  void set_state(StageState state) noexcept {
    page_.state.store(static_cast<std::uint32_t>(state), std::memory_order_relaxed);
  }

  void open();
  void interrupt_inputs() noexcept;
  void interrupt_outputs() noexcept;
  void produce_all();
  void process_all();
  void join_all();
  // What a look at an input came to.
  enum class Came { frame, nothing, end };
  Came read(std::size_t index, Frame& frame, int timeout_ms);
  bool take(std::size_t index, int timeout_ms);
  bool take_to_join(std::size_t index);
  void end(LiveInput& input);
  [[nodiscard]] bool writer_gone(std::size_t index) const noexcept;
  void hand_on(std::size_t index);
  [[nodiscard]] bool wants_more() const noexcept override { return !over(); }
  void hand_on_set(const FrameSet& set) override;
  void hand_on_other(LiveInput& input, const Frame& frame) override;
  void hand_on_end(LiveInput& input) override { end(input); }
  void wait();
  void wait_to_join();
  void refresh() noexcept;
  void count_all() noexcept;
  void end_outputs();

  template <typename Call>
  void call(const char* step, Call&& plugin_call);
  template <typename Call>
  std::int64_t timed(const char* step, std::int64_t start_ns, Call&& plugin_call);
  void trace_set(const FrameSet& set, std::int64_t since_ns, std::int64_t begin_ns,
                 std::int64_t end_ns) noexcept;

  const Plugin& plugin_;
  const StageSetup& setup_;
  const StopSignal& stop_;
  StagePage& page_;
  StageTrace trace_;
  StageMetrics metrics_;
  std::int64_t idle_since_ns_ = monotonic_ns();  // when the last process() or produce() was over
  std::atomic<bool> finished_{false};
  std::int64_t refreshed_ns_ = 0;
  std::size_t open_inputs_ = 0;  // that have not ended
  std::vector<std::unique_ptr<LiveInput>> inputs_;
  std::vector<std::unique_ptr<LiveOutput>> outputs_;
  std::vector<Input*> input_list_;
  std::vector<Output*> output_list_;
  std::vector<pollfd> polled_;
  std::unique_ptr<JoinedInputs> joined_;
  std::unique_ptr<Stage> stage_;  // gone before the streams it uses
  // Last, and the inputs' apart: what they wake outlives them.
  std::optional<StopSignal::Interrupt> interrupt_inputs_;
  std::optional<StopSignal::Interrupt> interrupt_outputs_;
};

void StageRun::run() {
  page_.pid.store(static_cast<std::uint32_t>(::getpid()), std::memory_order_relaxed);
  set_state(StageState::starting);
  open();
  interrupt_inputs_.emplace(stop_, [this] { interrupt_inputs(); });
  interrupt_outputs_.emplace(stop_, [this] { interrupt_outputs(); });
  try {
    call("start", [&] { stage_->start(*this); });
    set_state(StageState::running);
    if (is_source()) {
      produce_all();
    } else if (setup_.join) {
      join_all();
    } else {
      process_all();
    }
  } catch (const StopRequested&) {  // thrown by an output; passed on by the stage
  }
  trace_.end_call();
  if (joined_) joined_->tell();
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
  outputs_ = open_outputs(plugin_, setup_, page_, trace_);
  inputs_ = open_inputs(plugin_, setup_, page_);
  open_inputs_ = inputs_.size();
  for (const auto& input : inputs_) input_list_.push_back(input.get());
  for (const auto& output : outputs_) output_list_.push_back(output.get());
  polled_.reserve(inputs_.size() + 1);
  if (setup_.join)
    joined_ = std::make_unique<JoinedInputs>(setup_, inputs_, static_cast<SetReceiver&>(*this));
}

// In the thread that drains or stops the stage.
void StageRun::interrupt_inputs() noexcept {
  if (!stop_.stopped()) return;
  for (const auto& input : inputs_) input->reader().interrupt();
}

// In the thread that drains or stops the stage.
void StageRun::interrupt_outputs() noexcept {
  // Readers that have not come by now are not waited for any longer, and a first frame that nobody is there
  // for is not published; frames of a source under way are brought to an end.
  if (is_source() || stop_.stopped())
    for (const auto& output : outputs_) output->cancel_start();
  if (!stop_.stopped()) return;
  for (const auto& output : outputs_) output->writer().interrupt();
}

void StageRun::produce_all() {
  bool more = true;
  while (more && !over() && !stop_.draining()) {
    const std::int64_t begin_ns = monotonic_ns();
    const std::int64_t end_ns = timed("produce", begin_ns, [&] { more = stage_->produce(*this); });
    if (trace_.in_call()) trace_.produced(begin_ns, end_ns);
    trace_.end_call();
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

StageRun::Came StageRun::read(std::size_t index, Frame& frame, int timeout_ms) {
  LiveInput& input = *inputs_[index];
  const bool writer_gone_before = writer_gone(index);  // nothing is published after this look, then
  switch (input.reader().read(frame, timeout_ms)) {
    case ReadStatus::frame: return Came::frame;
    case ReadStatus::empty:
      // It never met the writer, or the writer left without an end: no other will come.
      return writer_gone_before && !input.reader().connected() ? Came::end : Came::nothing;
    case ReadStatus::interrupted: return Came::nothing;
    case ReadStatus::ended: return Came::end;
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
  return Came::nothing;
}

// Returns whether there may be more to read at once.
bool StageRun::take(std::size_t index, int timeout_ms) {
  LiveInput& input = *inputs_[index];
  switch (read(index, input.frame, timeout_ms)) {
    case Came::frame: hand_on(index); return true;
    case Came::nothing: return false;
    case Came::end: end(input); return true;
  }
  return false;
}

void StageRun::hand_on(std::size_t index) {
  LiveInput& input = *inputs_[index];
  if (input.frame.info().kind != FrameKind::media) {
    hand_on_other(input, input.frame);
  } else {
    input.check_media(input.frame);
    const std::int64_t now_ns = monotonic_ns();
    input.count(input.frame, now_ns);
    const std::int64_t since_ns = idle_since_ns_;
    const std::int64_t end_ns = timed("process", now_ns, [&] { stage_->process(*this, input, input.frame); });
    if (trace_.in_call()) {
      trace_.waited(index, input.frame, since_ns, now_ns);
      trace_.processed(index, input.frame, now_ns, end_ns);
    }
    trace_.end_call();  // what other() or input_ended() publishes is of none
  }
  input.frame.release();
}

void StageRun::hand_on_other(LiveInput& input, const Frame& frame) {
  input.refresh();
  call("other", [&] { stage_->other(*this, input, frame); });
}

void StageRun::join_all() {
  const ShortSlices slices;
  while (!joined_->over() && !over()) {
    bool any = false;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (joined_->takes(i) && !over()) any = take_to_join(i) || any;
    }
    joined_->settle();
    if (!any && !joined_->over() && !over()) wait_to_join();
  }
}

bool StageRun::take_to_join(std::size_t index) {
  switch (read(index, joined_->incoming(), 0)) {
    case Came::frame: joined_->keep(index); return true;
    case Came::nothing: return false;
    case Came::end: joined_->end(index); return true;
  }
  return false;
}

void StageRun::hand_on_set(const FrameSet& set) {
  const std::int64_t now_ns = monotonic_ns();
  for (std::size_t i = 0; i < inputs_.size(); ++i) inputs_[i]->count(set[i], now_ns);
  const std::int64_t since_ns = idle_since_ns_;
  const std::int64_t end_ns = timed("process_set", now_ns, [&] { stage_->process_set(*this, set); });
  if (trace_.in_call()) trace_set(set, since_ns, now_ns, end_ns);
  trace_.end_call();
}

// The frame that was published last is the one that the others waited for.
void StageRun::trace_set(const FrameSet& set, std::int64_t since_ns, std::int64_t begin_ns,
                         std::int64_t end_ns) noexcept {
  std::size_t last = 0;
  for (std::size_t i = 1; i < set.size(); ++i)
    if (set[i].publish_ns() > set[last].publish_ns()) last = i;
  trace_.waited(last, set[last], since_ns, begin_ns);
  for (std::size_t i = 0; i < set.size(); ++i) trace_.processed(i, set[i], begin_ns, end_ns);
}

void StageRun::wait_to_join() {
  refresh();
  polled_.assign(1, pollfd{stop_.fd(), POLLIN, 0});
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!joined_->takes(i)) continue;
    FrameReader& reader = inputs_[i]->reader();
    if (!reader.prepare_wait()) return;
    polled_.push_back({reader.fd(), POLLIN, 0});
  }
  (void)::poll(polled_.data(), polled_.size(), joined_->longest_wait_ms(kIdle_ms));
}

void StageRun::wait() {
  refresh();
  if (open_inputs_ ==
      1) {  // a reader alone knows cheaper ways to wait than its descriptor; interrupt_inputs() wakes it
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
  // SYNC page.kept_inputs, page.left_outputs: relaxed, the signal that ends us came after them.
  const std::uint32_t kept = page_.kept_inputs.load(std::memory_order_relaxed);
  const std::uint32_t left = page_.left_outputs.load(std::memory_order_relaxed);
  const auto is_left = [left](std::size_t i) { return (left >> i & 1) != 0; };
  // Before any frame is let go: what is held counts as not taken.
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    if ((kept >> i & 1) != 0) inputs_[i]->reader().keep_place();
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    if (!is_left(i)) outputs_[i]->end(stop_);
  // Nobody upstream shall wait for this stage while it waits for those downstream.
  interrupt_inputs_.reset();  // a stop that comes now finds no inputs
  input_list_.clear();
  joined_.reset();
  inputs_.clear();
  const std::int64_t until_ns = monotonic_ns() + kDrainLimit_ns;
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    if (!is_left(i)) outputs_[i]->drain(stop_, until_ns);
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
std::int64_t StageRun::timed(const char* step, std::int64_t start_ns, Call&& plugin_call) {
  trace_.begin_call();
  page_.call_began_ns.store(start_ns, std::memory_order_relaxed);
  call(step, plugin_call);
  page_.call_began_ns.store(0, std::memory_order_relaxed);
  const std::int64_t end_ns = monotonic_ns();
  page_.process_ns.store(
      page_.process_ns.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(end_ns - start_ns),
      std::memory_order_relaxed);
  if (end_ns - refreshed_ns_ >= kRefreshEvery_ns) refresh();
  return idle_since_ns_ = end_ns;
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
