#include "stage_process.hpp"

#include "stage_counters.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include <reel/base/error.hpp>
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

}  // namespace

StageProcess::StageProcess(const GraphStage& stage) : stage_(stage), page_(StagePageMapping::create()) {}

void StageProcess::start(const std::string& host, const StageSetup& setup) {
  // Left by the process before this one; nobody else writes it now.
  page_.page().state.store(static_cast<std::uint32_t>(StageState::none), std::memory_order_relaxed);
  const UniqueFd setup_fd = setup_file(setup);
  ChildSetup child;
  child.program = host;
  child.arguments = {"--name",     setup.name,
                     "--setup-fd", std::to_string(setup_fd.get()),
                     "--stats-fd", std::to_string(page_.fd())};
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
  past_cpu_seconds_ += child_->cpu_seconds();
  child_.reset();
  return exit;
}

void StageProcess::give_up() {
  if (!child_) return;
  child_->give_up();
  past_cpu_seconds_ += child_->cpu_seconds();
  child_.reset();
}

// SYNC page.ended_inputs: release, pairs with the acquire of the stage's loop.
void StageProcess::end_input(std::size_t index) noexcept {
  page_.page().ended_inputs.fetch_or(std::uint32_t{1} << index, std::memory_order_release);
}

void StageProcess::end_reader(std::size_t output, std::size_t reader) noexcept {
  // relaxed: the bits stand for themselves.
  page_.page().outputs.at(output).ended_readers.fetch_or(std::uint64_t{1} << reader,
                                                         std::memory_order_relaxed);
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
  report.cpu_seconds = past_cpu_seconds_ + (child_ ? child_->cpu_seconds() : 0);
  read_counters(page_.page(), report);
  return report;
}

}  // namespace reel
