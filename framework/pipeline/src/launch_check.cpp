#include "child_process.hpp"

#include <array>
#include <cerrno>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/pipeline/machine.hpp>
#include <reel/pipeline/supervisor.hpp>

namespace reel {
namespace {

constexpr int kWrong = 2;  // the statuses of reel-gst-stage-host --check
constexpr int kLacking = 1;

struct Verdict {
  ProcessExit exit;
  std::string text;  // its last line of standard error
};

bool read_more(int fd, std::string& text) {
  std::array<char, 4096> block{};
  pollfd waiting{fd, POLLIN, 0};
  if (::poll(&waiting, 1, -1) < 0) return errno == EINTR;
  const ssize_t got = ::read(fd, block.data(), block.size());
  if (got > 0) text.append(block.data(), static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

Verdict verdict_of(const std::string& host, const GraphStage& stage) {
  ChildSetup setup;
  setup.program = host;
  setup.arguments = {"--check", stage.setup.options.at("launch").text};
  setup.directory = stage.setup.base_directory;
  setup.environment = stage.config.environment;
  ChildProcess child(setup);
  Verdict verdict;
  while (read_more(child.error_fd(), verdict.text)) {
  }
  std::optional<ProcessExit> exit;
  constexpr useconds_t kLook_us = 1000;
  while (!(exit = child.poll_exit())) ::usleep(kLook_us);  // it has closed its output: it is about to end
  verdict.exit = *exit;
  while (!verdict.text.empty() && verdict.text.back() == '\n') verdict.text.pop_back();
  verdict.text.erase(0, verdict.text.rfind('\n') + 1);
  return verdict;
}

}  // namespace

std::vector<Lack> missing_elements(const Graph& graph) {
  std::vector<Lack> lacks;
  for (const GraphStage& stage : graph.stages) {
    if (!stage.gst) continue;
    const std::string where = stage.setup.options.at("launch").where;
    std::string host;
    try {
      host = find_gst_stage_host();
    } catch (const Error& error) {
      lacks.push_back({where, fmt::format("stage '{}': {}", stage.config.name, error.message())});
      continue;
    }
    const Verdict verdict = verdict_of(host, stage);
    const std::string text = fmt::format("stage '{}' (gst): {}", stage.config.name, verdict.text);
    if (verdict.exit.status == kWrong) throw Error(ErrorCode::bad_config, text, where);
    if (verdict.exit.status == kLacking) lacks.push_back({where, text});
  }
  return lacks;
}

}  // namespace reel
