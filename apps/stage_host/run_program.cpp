#include "stage_host.hpp"

#include <array>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <map>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/unique_fd.hpp>
#include <reel/stage/supervised.hpp>

namespace reel {
namespace {

// The kernel sends it to this process when its parent dies.
constexpr int kSupervisorDied = SIGHUP;

std::string variable_name(const char* prefix, const std::string& port) {
  std::string name = prefix;
  for (const char letter : port)
    name += letter == '-' || letter == '.'
                ? '_'
                : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return name;
}

// REEL_STAGE; REEL_IN and REEL_OUT: the first stream; REEL_IN_<PORT> and REEL_OUT_<PORT>: all of a port;
// REEL_READER: what its readers are called. REEL_SETUP: all of the setup, as JSON, for programs that know
// more of Reel than names (reel.Stage of Python).
void set_environment(const StageSetup& setup) {
  std::map<std::string, std::string> variables;
  for (const InputSetup& input : setup.inputs) {
    std::string& all = variables[variable_name("REEL_IN_", input.port)];
    all += (all.empty() ? "" : " ") + input.stream;
  }
  for (const OutputSetup& output : setup.outputs) {
    std::string& all = variables[variable_name("REEL_OUT_", output.port)];
    all += (all.empty() ? "" : " ") + output.stream;
  }
  if (!setup.inputs.empty()) {
    variables["REEL_IN"] = setup.inputs.front().stream;
    variables[kReaderNameVariable] = setup.inputs.front().reader.name;
  }
  variables["REEL_SETUP"] = to_json(setup);
  if (!setup.outputs.empty()) variables["REEL_OUT"] = setup.outputs.front().stream;
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
}

sigset_t watched_signals() noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGCHLD, kSupervisorDied}) sigaddset(&set, signal);
  return set;
}

// In the child. Nothing here allocates or throws; the errno goes up the pipe when there is no program to
// become.
[[noreturn]] void become(char* const* arguments, pid_t host, const sigset_t& mask, int report_fd) noexcept {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != host) ::_exit(kFailed);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::execvp(arguments[0], arguments);
  const int failed = errno;
  (void)!::write(report_fd, &failed, sizeof failed);
  ::_exit(kBadConfiguration);
}

// Starts the program in its own process group and returns its pid. Throws Error{bad_config} when it cannot be
// run.
pid_t start(const std::vector<std::string>& command, const sigset_t& mask) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno(errno, "cannot make a pipe");
  const UniqueFd report(ends[0]);
  UniqueFd child_end(ends[1]);
  const pid_t host = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw_errno(errno, "cannot fork");
  if (child == 0) become(arguments.data(), host, mask, child_end.get());
  ::setpgid(child, child);  // here as well: a signal may be passed on before the child got there
  child_end.reset();
  int failed = 0;
  if (::read(report.get(), &failed, sizeof failed) == sizeof failed) {
    ::waitpid(child, nullptr, 0);
    throw Error(ErrorCode::bad_config,
                fmt::format("cannot run {}: {}", command.front(), std::generic_category().message(failed)));
  }
  return child;
}

int status_of(int wait_status, int passed_on) noexcept {
  if (WIFEXITED(wait_status)) return WEXITSTATUS(wait_status);
  const int signal = WTERMSIG(wait_status);
  return signal == passed_on ? kEndedWell : 128 + signal;
}

// Passes signals on until the program has ended.
int attend(pid_t program, const sigset_t& watched, bool has_inputs) noexcept {
  int passed_on = 0;
  while (true) {
    const int signal = ::sigwaitinfo(&watched, nullptr);
    if (signal == kSupervisorDied) {
      ::kill(-program, SIGKILL);
    } else if (signal == SIGTERM || (signal == SIGINT && !has_inputs)) {
      passed_on = signal;
      ::kill(-program, signal);
    }
    int status = 0;
    if (::waitpid(program, &status, WNOHANG) != program) continue;
    ::kill(-program, SIGKILL);  // what it left behind
    return status_of(status, passed_on);
  }
}

}  // namespace

int run_program(const std::string& name, const std::vector<std::string>& command, int setup_fd,
                int stats_fd) noexcept {
  try {
    // Takes the place of the SIGKILL that the supervisor asked for: this process has a group to take with it.
    const sigset_t watched = watched_signals();
    sigset_t before;
    ::sigprocmask(SIG_BLOCK, &watched, &before);
    ::prctl(PR_SET_PDEATHSIG, kSupervisorDied);
    const StagePageMapping mapping = open_page(stats_fd);
    ::setenv("REEL_STAGE", name.c_str(), 1);
    if (setup_fd >= 0) set_environment(read_setup(setup_fd));
    const bool has_inputs = std::getenv("REEL_IN") != nullptr;
    const pid_t program = start(command, before);
    set_state(mapping.page(), StageState::running);
    const int status = attend(program, watched, has_inputs);
    set_state(mapping.page(), status == kEndedWell ? StageState::finished : StageState::failed);
    return status;
  } catch (const Error& error) {
    log_error(error.what());
    return error.code() == ErrorCode::bad_config || error.code() == ErrorCode::protocol ? kBadConfiguration
                                                                                        : kFailed;
  } catch (const std::exception& error) {
    log_error(error.what());
    return kFailed;
  }
}

}  // namespace reel
