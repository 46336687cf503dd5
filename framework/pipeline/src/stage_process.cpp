#include "stage_process.hpp"

#include "stage_counters.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/stage/stage_setup.hpp>

namespace reel {
namespace {

// What the child reads its setup from: a file rather than a pipe, which a long setup could fill before
// anybody reads it.
UniqueFd setup_file(const StageSetup& setup) {
  const std::string json = to_json(setup);
  UniqueFd fd(::memfd_create("reel-setup", MFD_CLOEXEC));
  if (!fd) throw_errno(errno, "making a stage's setup");
  for (std::size_t done = 0; done < json.size();) {
    const ssize_t wrote = ::write(fd.get(), json.data() + done, json.size() - done);
    if (wrote < 0 && errno != EINTR) throw_errno(errno, "writing a stage's setup");
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
  }
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

// False once the other side has closed it.
bool read_lines(int fd, LineSplitter& splitter, const StageProcess::LineSink& sink) {
  std::array<char, 16384> buffer;
  // As much as a pipe holds: a stage that never stops talking does not keep the supervisor from the others.
  for (int turn = 0; turn < 4; ++turn) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got > 0) {
      splitter.add({buffer.data(), static_cast<std::size_t>(got)}, sink);
    } else if (got == 0) {
      splitter.finish(sink);
      return false;
    } else if (errno != EINTR) {
      return true;
    }
  }
  return true;
}

std::vector<std::vector<std::string>> waited_for(const StageSetup& setup) {
  std::vector<std::vector<std::string>> readers;
  for (const OutputSetup& output : setup.outputs) readers.push_back(output.writer.wait_for);
  return readers;
}

}  // namespace

StageProcess::StageProcess(GraphStage stage) : stage_(std::move(stage)), page_(StagePageMapping::create()) {}

void StageProcess::change(GraphStage stage) {
  const auto ports = [](const StageSetup& setup) {
    std::vector<std::string> names;
    for (const InputSetup& input : setup.inputs) names.push_back("< " + input.port + " " + input.stream);
    for (const OutputSetup& output : setup.outputs) names.push_back("> " + output.port + " " + output.stream);
    return names;
  };
  ports_changed_ = ports_changed_ || ports(stage.setup) != ports(stage_.setup);
  stage_ = std::move(stage);
}

void StageProcess::start(const std::vector<std::string>& host, const StageSetup& setup) {
  if (std::exchange(ports_changed_, false)) {
    page_ = StagePageMapping::create();
    if (traced_) go_on_tracing();
    frames_seen_ = 0;
  }
  // Left by the process before this one; nobody else writes it now.
  page_.page().kept_inputs.store(0, std::memory_order_relaxed);
  page_.page().left_outputs.store(0, std::memory_order_relaxed);
  page_.page().call_began_ns.store(0, std::memory_order_relaxed);
  for (OutputCounters& output : page_.page().outputs) output.acquiring.store(0, std::memory_order_relaxed);
  page_.page().state.store(static_cast<std::uint32_t>(StageState::none), std::memory_order_relaxed);
  if (waited_for(setup) !=
      waited_for(told_)) {  // what was said of readers was of their places in other lists
    for (OutputCounters& output : page_.page().outputs)
      output.ended_readers.store(0, std::memory_order_relaxed);
  }
  told_ = setup;
  const UniqueFd setup_fd = setup_file(setup);
  ChildSetup child;
  child.program = host.front();
  child.arguments.assign(host.begin() + 1, host.end());
  child.arguments.insert(child.arguments.end(),
                         {"--name", setup.name, "--setup-fd", std::to_string(setup_fd.get()), "--stats-fd",
                          std::to_string(page_.fd())});
  if (stage_.exec()) {
    child.arguments.insert(child.arguments.end(), {"--exec", "--"});
    child.arguments.insert(child.arguments.end(), stage_.command.begin(), stage_.command.end());
  }
  // Relative paths in a command, or a launch line, are the pipeline file's.
  if (stage_.exec() || stage_.gst) child.directory = setup.base_directory;
  child.environment = stage_.config.environment;
  child.cpus = stage_.config.cpus;
  child.nice = stage_.config.nice;
  child.keep = {setup_fd.get(), page_.fd()};
  child_.emplace(child);
  last_pid_ = child_->pid();
}

void StageProcess::read_output(const LineSink& sink) {
  if (child_ && child_->output_fd() >= 0 && !read_lines(child_->output_fd(), output_, sink))
    child_->close_output();
}

void StageProcess::read_error(const LineSink& sink) {
  if (child_ && child_->error_fd() >= 0 && !read_lines(child_->error_fd(), error_, sink))
    child_->close_error();
}

std::optional<ProcessExit> StageProcess::poll_exit(const LineSink& output, const LineSink& error) {
  if (!child_) return std::nullopt;
  const auto exit = child_->poll_exit();
  if (!exit) return std::nullopt;
  read_output(output);
  read_error(error);
  output_.finish(output);
  error_.finish(error);
  past_cpu_seconds_ += child_->use().cpu_seconds;
  child_.reset();
  return exit;
}

void StageProcess::give_up() {
  if (!child_) return;
  child_->give_up();
  past_cpu_seconds_ += child_->use().cpu_seconds;
  child_.reset();
}

// SYNC page.kept_inputs, page.left_outputs: relaxed, the process looks after the signal that comes next.
void StageProcess::hand_over(const std::vector<InputSetup>& successor, const GoesOn& goes_on) noexcept {
  std::uint32_t kept = 0, left = 0;
  for (std::size_t i = 0; i < told_.inputs.size(); ++i) {
    const bool read_on = std::any_of(successor.begin(), successor.end(), [&](const InputSetup& next) {
      return next.stream == told_.inputs[i].stream && next.reader.name == told_.inputs[i].reader.name;
    });
    if (read_on) kept |= std::uint32_t{1} << i;
  }
  for (std::size_t i = 0; i < told_.outputs.size(); ++i)
    if (goes_on(told_.outputs[i].stream)) left |= std::uint32_t{1} << i;
  page_.page().kept_inputs.store(kept, std::memory_order_relaxed);
  page_.page().left_outputs.store(left, std::memory_order_relaxed);
}

bool StageProcess::writes(const std::string& stream) const noexcept {
  return child_ && std::any_of(told_.outputs.begin(), told_.outputs.end(),
                               [&](const OutputSetup& output) { return output.stream == stream; });
}

// Of what another program does with its frames, no spans come.
void StageProcess::have_spans_written() {
  const bool already = page_.page().traced.load(std::memory_order_relaxed) != 0;
  if (already || stage_.exec() || stage_.gst) return;
  page_.reserve_spans();
  // relaxed: the memory is there whoever looks.
  page_.page().traced.store(1, std::memory_order_relaxed);
}

// Without spans where there is no memory for them: a trace is no reason for a stage not to start.
void StageProcess::go_on_tracing() {
  try {
    have_spans_written();
  } catch (const Error& error) {
    log_warning(fmt::format("{}: its new process is not traced: {}", stage_.config.name, error.message()));
  }
}

TracedStage StageProcess::trace() {
  have_spans_written();
  traced_ = true;
  return {stage_.config.name, stage_.config.use, !stage_.exec() && !stage_.gst, page_.open_read_only()};
}

void StageProcess::end_trace() noexcept {
  if (!std::exchange(traced_, false)) return;
  page_.page().traced.store(0, std::memory_order_relaxed);
  page_.release_spans();
}

std::int64_t StageProcess::busy_ms(std::int64_t now_ms) noexcept {
  const StagePage& page = page_.page();
  const std::int64_t call_ns = page.call_began_ns.load(std::memory_order_relaxed);
  const bool at_work = child_ && call_ns != 0 && !waits_for_readers(page);
  if (!at_work || call_ns != call_seen_ns_) busy_since_ms_ = now_ms;
  call_seen_ns_ = at_work ? call_ns : 0;
  busy_ms_ = at_work ? now_ms - busy_since_ms_ : 0;
  return busy_ms_;
}

// SYNC page.ended_inputs: release, pairs with the acquire of the stage's loop.
void StageProcess::end_input(std::size_t index) noexcept {
  page_.page().ended_inputs.fetch_or(std::uint32_t{1} << index, std::memory_order_release);
}

void StageProcess::mark_reader(const std::string& stream, const std::string& reader, bool ended) noexcept {
  for (std::size_t i = 0; i < told_.outputs.size(); ++i) {
    if (told_.outputs[i].stream != stream) continue;
    const std::vector<std::string>& names = told_.outputs[i].writer.wait_for;
    const auto place = std::find(names.begin(), names.end(), reader);
    if (place == names.end()) continue;
    // relaxed: the bits stand for themselves.
    const std::uint64_t bit = std::uint64_t{1} << (place - names.begin());
    auto& ended_readers = page_.page().outputs.at(i).ended_readers;
    if (ended)
      ended_readers.fetch_or(bit, std::memory_order_relaxed);
    else
      ended_readers.fetch_and(~bit, std::memory_order_relaxed);
  }
}

bool StageProcess::says_running() const noexcept {
  if (!child_) return false;
  return page_.page().state.load(std::memory_order_relaxed) ==
         static_cast<std::uint32_t>(StageState::running);
}

bool StageProcess::has_progressed() noexcept {
  const std::uint64_t frames = frames_moved(page_.page());
  return frames != std::exchange(frames_seen_, frames);
}

StageReport StageProcess::report() const {
  StageReport report;
  report.name = stage_.config.name;
  report.use = stage_.config.use;
  report.sink = stage_.sink();
  report.pid = static_cast<std::uint32_t>(last_pid_);
  const ProcessUse use = child_ ? child_->use() : ProcessUse{};
  // A process of its own that nobody waited for takes its time with it.
  report.cpu_seconds = told_cpu_seconds_ = std::max(told_cpu_seconds_, past_cpu_seconds_ + use.cpu_seconds);
  report.memory_bytes = use.own_bytes;
  report.busy_ms = busy_ms_;
  read_counters(page_.page(), report);
  return report;
}

}  // namespace reel
