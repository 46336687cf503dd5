#include "control_server.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>

namespace reel {
namespace {

constexpr std::int64_t kFarewell_ns = 1'000'000'000;
constexpr std::int64_t kAcceptAgain_ns = 100'000'000;

}  // namespace

ControlServer::ControlServer(std::string directory, std::string pipeline, ControlHandlers handlers)
    : directory_(std::move(directory)),
      pipeline_(std::move(pipeline)),
      handlers_(std::move(handlers)),
      listener_(listen_for_control(directory_, pipeline_)) {}

ControlServer::~ControlServer() {
  forget_control(directory_, pipeline_);
  for (Client& client : clients_)
    if (client.follows) client.link.send(to_line(ControlAnswer{}));
  const std::int64_t until_ns = monotonic_ns() + kFarewell_ns;
  for (Client& client : clients_) {
    while (client.link.flush() && client.link.wants_to_send()) {
      const std::int64_t left_ns = until_ns - monotonic_ns();
      pollfd polled{client.link.fd(), POLLOUT, 0};
      if (left_ns <= 0 || ::poll(&polled, 1, static_cast<int>(left_ns / 1'000'000) + 1) == 0) break;
    }
  }
}

void ControlServer::add_polled(std::vector<pollfd>& polled) const {
  polled.push_back({monotonic_ns() < accept_at_ns_ ? -1 : listener_.get(), POLLIN, 0});
  for (const Client& client : clients_) {
    short events = 0;
    if (client.link.wants_to_send())
      events = POLLOUT;
    else if (!client.gone && !client.link.has_line())
      events = POLLIN;
    polled.push_back({client.link.fd(), events, 0});
  }
}

bool ControlServer::has_work() const noexcept {
  return std::any_of(clients_.begin(), clients_.end(), [](const Client& c) { return c.may_be_answered(); });
}

void ControlServer::accept_all() {
  for (;;) {
    UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (!socket) {
      // It stays pending: not spun on.
      if (errno != EAGAIN && errno != EWOULDBLOCK) accept_at_ns_ = monotonic_ns() + kAcceptAgain_ns;
      return;
    }
    // The file's mode keeps others out; root may have changed that.
    const auto peer = control_peer(socket.get());
    if (!peer || (peer->uid != ::geteuid() && peer->uid != 0)) continue;
    ControlLink link(std::move(socket), ControlLink::Side::pipeline);
    if (clients_.size() < kMostClients) {
      clients_.push_back({std::move(link)});
      continue;
    }
    link.send(to_line(ControlAnswer{
        {},
        Error(ErrorCode::refused,
              fmt::format("the pipeline \"{}\" is looked at by {} tools already, the most there can be: end "
                          "some of them",
                          pipeline_, kMostClients)),
        {},
        {}}));
    (void)link.flush();
  }
}

void ControlServer::serve() {
  accept_all();
  for (auto client = clients_.begin(); client != clients_.end();)
    client = serve(*client) ? std::next(client) : clients_.erase(client);
  const auto traces = [](const Client& client) { return client.traces; };
  if (traced_ && std::none_of(clients_.begin(), clients_.end(), traces)) {
    traced_ = false;
    handlers_.end_trace();
  }
}

// False once there is nothing to say to it any more.
bool ControlServer::serve(Client& client) {
  if (!client.link.flush()) return false;
  if (!client.link.wants_to_send() && !client.gone && !client.link.has_line())
    client.gone = !client.link.receive();
  if (client.may_be_answered()) answer(client, *client.link.next());
  return client.link.flush() && (!client.gone || client.link.has_line() || client.link.wants_to_send());
}

void ControlServer::add_log(LogLine line) {
  const bool followed =
      std::any_of(clients_.begin(), clients_.end(), [](const Client& c) { return c.follows; });
  if (followed) {
    const std::string text = to_line(ControlAnswer{line, {}, {}, {}});
    for (Client& client : clients_)
      if (client.follows) client.link.send(text);
  }
  log_bytes_ += line.text.size();
  log_.push_back(std::move(line));
  while (log_.size() > kKeptLines || log_bytes_ > kKeptBytes) {
    log_bytes_ -= log_.front().text.size();
    log_.pop_front();
  }
}

void ControlServer::answer(Client& client, std::string_view line) {
  try {
    carry_out(client, request_from(line));
  } catch (const Error& error) {
    client.link.send(to_line(ControlAnswer{{}, error, {}, {}}));
  }
}

void ControlServer::carry_out(Client& client, const ControlRequest& request) {
  ControlAnswer answer;
  if (request.ask == "status") {
    answer.status = handlers_.status();
  } else if (request.ask == "stop") {
    handlers_.stop();
  } else if (request.ask == "restart") {
    handlers_.restart(request.stage);
  } else if (request.ask == "apply") {
    answer.lines = handlers_.apply(request.file, request.overrides);
  } else if (request.ask == "logs") {
    send_log(client, request.lines);
    client.follows = request.follow;
    if (client.follows) return;  // the answer has no end before the pipeline's
  } else if (request.ask == "trace") {
    send_pages(client);
  } else {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("\"{}\" is nothing that this pipeline can be asked: use the tools of its own Reel",
                    request.ask));
  }
  client.link.send(to_line(answer));
}

// From here on until its connection ends.
void ControlServer::send_pages(Client& client) {
  client.traces = traced_ = true;
  for (TracedStage& stage : handlers_.trace()) {
    UniqueFd page = std::move(stage.page);
    ControlAnswer answer;
    answer.page = std::move(stage);
    client.link.send(to_line(answer), std::move(page));
  }
}

void ControlServer::send_log(Client& client, std::size_t lines) {
  lines = std::min(lines, log_.size());
  for (auto line = log_.end() - static_cast<std::ptrdiff_t>(lines); line != log_.end(); ++line)
    client.link.send(to_line(ControlAnswer{*line, {}, {}, {}}));
}

}  // namespace reel
