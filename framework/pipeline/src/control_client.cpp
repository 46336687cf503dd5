#include "control_link.hpp"
#include "control_wire.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <poll.h>

#include <reel/base/clock.hpp>
#include <reel/base/text.hpp>
#include <reel/channel/runtime_dir.hpp>
#include <reel/pipeline/control.hpp>

namespace reel {
namespace {

constexpr std::int64_t kMillisecond_ns = 1'000'000;
constexpr int kRetry_ms = 20;

[[noreturn]] void throw_not_running(const std::string& pipeline) {
  const std::vector<std::string> running = list_pipelines();
  const auto near = nearest_name(pipeline, running);
  throw Error(ErrorCode::not_found,
              fmt::format("no pipeline \"{}\" runs {}{}{}", pipeline, where_looked(),
                          running.empty() ? "; none does" : fmt::format("; there is {}", join_or(running)),
                          near ? fmt::format(": did you mean \"{}\"?", *near) : ""));
}

}  // namespace

class PipelineControl::Impl {
 public:
  Impl(std::string pipeline, int timeout_ms)
      : pipeline_(std::move(pipeline)), timeout_ms_(timeout_ms), link_(connect()) {}

  /// Sends it and waits for the answer's end; what comes before that, lines of the log or pages, goes to
  /// `take`, which ends the wait by false. `timeout_ms` below 0: without one. What comes to no end leaves the
  /// connection useless, and the next call makes another.
  ControlAnswer ask(const ControlRequest& request, int timeout_ms,
                    const std::function<bool(ControlAnswer)>& take = {}) {
    if (!link_) link_ = connect();
    ControlLink link = std::move(*std::exchange(link_, std::nullopt));
    link.send(to_line(request));
    const std::int64_t until_ns = monotonic_ns() + timeout_ms * kMillisecond_ns;
    for (;;) {
      bool open = link.flush();
      open = link.receive() && open;  // also where nothing more is taken from us: it may have said why
      while (const auto line = link.next()) {
        ControlAnswer heard = answer_from(*line);
        if (heard.page) heard.page->page = link.take_descriptor();
        if (heard.log || heard.page) {
          if (take && !take(std::move(heard))) return {};
          continue;
        }
        link_ = std::move(link);
        if (heard.error) throw *heard.error;
        return heard;
      }
      if (!open) throw Error(ErrorCode::closed, fmt::format("the pipeline \"{}\" has ended", pipeline_));
      wait(link, timeout_ms, until_ns);
    }
  }

  [[nodiscard]] int timeout_ms() const noexcept { return timeout_ms_; }

 private:
  [[nodiscard]] ControlLink connect() const {
    const std::int64_t until_ns = monotonic_ns() + timeout_ms_ * kMillisecond_ns;
    for (;;) {
      if (auto link = try_connect()) return std::move(*link);
      if (monotonic_ns() >= until_ns) throw_no_answer();
      (void)::poll(nullptr, 0, kRetry_ms);
    }
  }

  // nullopt where it is there and has no time for us yet.
  [[nodiscard]] std::optional<ControlLink> try_connect() const {
    int denied = 0;
    bool busy = false;
    for (const RuntimeDir& directory : runtime_dirs()) {
      if (directory.state == RuntimeDir::State::refused || directory.state == RuntimeDir::State::missing)
        continue;
      auto socket = connect_for_control(directory.path, pipeline_);
      if (!socket) {
        if (errno == EACCES || errno == EPERM) denied = errno;
        busy = busy || errno == EAGAIN;
        continue;
      }
      const auto peer = control_peer(socket->get());
      if (peer && (peer->uid == directory.owner || peer->uid == 0))
        return ControlLink(std::move(*socket), ControlLink::Side::tool);
    }
    if (busy) return std::nullopt;
    if (denied != 0)
      throw_errno(denied,
                  fmt::format("the pipeline \"{}\" answers to its own user and root alone", pipeline_));
    throw_not_running(pipeline_);
  }

  [[noreturn]] void throw_no_answer() const {
    throw Error(ErrorCode::timeout,
                fmt::format("the pipeline \"{}\" did not answer within {} ms: its `reel run` is stopped, or "
                            "very busy",
                            pipeline_, timeout_ms_));
  }

  void wait(const ControlLink& link, int timeout_ms, std::int64_t until_ns) const {
    const std::int64_t left_ns = until_ns - monotonic_ns();
    if (timeout_ms >= 0 && left_ns <= 0) throw_no_answer();
    const auto events = static_cast<short>(link.wants_to_send() ? POLLIN | POLLOUT : POLLIN);
    pollfd polled{link.fd(), events, 0};
    (void)::poll(&polled, 1, timeout_ms < 0 ? -1 : static_cast<int>(left_ns / kMillisecond_ns) + 1);
  }

  std::string pipeline_;
  int timeout_ms_;
  std::optional<ControlLink> link_;
};

PipelineControl::PipelineControl(const std::string& pipeline, int timeout_ms)
    : impl_(std::make_unique<Impl>(pipeline, timeout_ms)) {}
PipelineControl::PipelineControl(PipelineControl&&) noexcept = default;
PipelineControl& PipelineControl::operator=(PipelineControl&&) noexcept = default;
PipelineControl::~PipelineControl() = default;

PipelineStatus PipelineControl::status() {
  const ControlAnswer answer = impl_->ask({.ask = "status"}, impl_->timeout_ms());
  if (!answer.status) throw Error(ErrorCode::protocol, "a pipeline was asked for its status and told none");
  return *answer.status;
}

void PipelineControl::stop() {
  impl_->ask({.ask = "stop"}, impl_->timeout_ms());
}

void PipelineControl::restart(const std::string& stage) {
  impl_->ask({.ask = "restart", .stage = stage}, impl_->timeout_ms());
}

std::vector<std::string> PipelineControl::apply(const std::string& file,
                                                const std::vector<std::string>& overrides) {
  const std::string path = std::filesystem::absolute(file).lexically_normal().string();
  return impl_->ask({.ask = "apply", .file = path, .overrides = overrides}, impl_->timeout_ms()).lines;
}

void PipelineControl::logs(std::size_t lines, bool follow,
                           const std::function<bool(const LogLine& line)>& take) {
  try {
    impl_->ask({.ask = "logs", .lines = lines, .follow = follow}, follow ? -1 : impl_->timeout_ms(),
               [&](const ControlAnswer& heard) { return !heard.log || take(*heard.log); });
  } catch (const Error& error) {
    if (!follow || error.code() != ErrorCode::closed) throw;
    throw Error(ErrorCode::closed,
                fmt::format("{} without a word: its supervisor was killed, or its log was not taken for too "
                            "long (8 MB of it wait)",
                            error.message()));
  }
}

std::vector<TracedStage> PipelineControl::trace() {
  std::vector<TracedStage> stages;
  impl_->ask({.ask = "trace"}, impl_->timeout_ms(), [&](ControlAnswer heard) {
    if (heard.page) stages.push_back(std::move(*heard.page));
    return true;
  });
  return stages;
}

std::vector<std::string> list_pipelines() {
  std::vector<std::string> running;
  for (const RuntimeDir& directory : runtime_dirs()) {
    if (directory.state != RuntimeDir::State::usable) continue;
    for (const std::string& pipeline : control_files(directory.path))
      if (connect_for_control(directory.path, pipeline) || errno == EAGAIN) running.push_back(pipeline);
  }
  std::sort(running.begin(), running.end());
  running.erase(std::unique(running.begin(), running.end()), running.end());
  return running;
}

}  // namespace reel
