// What a supervisor tells those who watch its pipeline from outside: /metrics and /health over HTTP, systemd
// by its notify protocol. Single-thread, the supervisor's; never waits for whoever listens.
#pragma once

#include "health.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <poll.h>

#include <reel/base/log.hpp>
#include <reel/service/http_server.hpp>
#include <reel/service/notify.hpp>

namespace reel {

class ServiceDesk {
 public:
  /// What the desk asks of the supervisor, in its thread.
  struct Owner {
    std::function<PipelineReport()> report;
    std::function<Health(const PipelineReport&)> health;
    std::function<void(LogLevel level, std::string_view line)> log;
  };

  explicit ServiceDesk(Owner owner) : owner_(std::move(owner)) {}

  /// Listens at the address, if any. Throws Error as HttpServer does.
  void open(const std::optional<ListenAddress>& address);
  /// Somebody outside may ask how the pipeline does.
  [[nodiscard]] bool watched() const noexcept { return server_ || notifier_.listened_to(); }
  void add_polled(std::vector<pollfd>& polled) const;
  /// The pipeline is up: every stage had its first chance to run.
  void ready();
  /// It is on its way to its end.
  void ending();
  /// To be called in each turn of the supervisor's loop.
  void tend(const HealthRule& rule, std::int64_t now_ms);
  /// When tend() is due at the latest; nothing where there is no need.
  [[nodiscard]] std::optional<std::int64_t> next_ms() const noexcept;

 private:
  void tell_systemd(const HealthRule& rule, std::int64_t now_ms);
  void give_pages();

  const Owner owner_;
  std::optional<HttpServer> server_;
  ServiceNotifier notifier_;
  bool ready_ = false, ready_told_ = false, ending_ = false;
  std::int64_t next_alive_ms_ = 0, next_status_ms_ = 0;
};

}  // namespace reel
