// The pipeline's side of its tools: takes their requests between two looks at the stages, answers, and hands
// its log on to who follows it. Never blocks, but for its end. Single-thread: the supervisor's.
//
// The talk (lines of JSON) is described in framework/pipeline/CONTROL.md.
#pragma once

#include "control_link.hpp"
#include "control_wire.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include <poll.h>

#include <reel/pipeline/control.hpp>

namespace reel {

/// What the pipeline does when it is asked to. Each may throw Error, which the tool is told.
struct ControlHandlers {
  std::function<PipelineStatus()> status;
  std::function<void()> stop;
  std::function<void(const std::string& stage)> restart;
  std::function<std::vector<std::string>(const std::string& file, const std::vector<std::string>& overrides)>
      apply;
  std::function<std::vector<TracedStage>()> trace;  // has the stages write spans, and gives their pages
  std::function<void()> end_trace;                  // once nobody wants them any more
};

class ControlServer {
 public:
  static constexpr std::size_t kKeptLines = 2000;
  static constexpr std::size_t kKeptBytes = std::size_t{1} << 20;  // of those lines' texts
  static constexpr std::size_t kMostClients = 64;

  /// Throws Error{in_use}: see listen_for_control.
  ControlServer(std::string directory, std::string pipeline, ControlHandlers handlers);
  ~ControlServer();  // who follows the log is told of its end; all get a second to take what waits for them
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  void add_polled(std::vector<pollfd>& polled) const;
  /// Somebody has asked for more than one serve() answers: do not wait.
  [[nodiscard]] bool has_work() const noexcept;
  /// Takes what has come and sends what waits: one request of each client, and its next when it has taken the
  /// answer.
  void serve();
  void add_log(LogLine line);

 private:
  struct Client {
    ControlLink link;
    bool follows = false;
    bool traces = false;
    bool gone = false;  // it says no more, but may still listen
    [[nodiscard]] bool may_be_answered() const noexcept { return link.has_line() && !link.wants_to_send(); }
  };

  void accept_all();
  [[nodiscard]] bool serve(Client& client);
  void answer(Client& client, std::string_view line);
  void carry_out(Client& client, const ControlRequest& request);
  void send_log(Client& client, std::size_t lines);
  void send_pages(Client& client);

  const std::string directory_, pipeline_;
  const ControlHandlers handlers_;
  UniqueFd listener_;
  std::list<Client> clients_;
  bool traced_ = false;  // as it was asked for last
  std::deque<LogLine> log_;
  std::size_t log_bytes_ = 0;
  std::int64_t accept_at_ns_ = 0;  // while there is no descriptor for a client more
};

}  // namespace reel
