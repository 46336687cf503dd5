#include "service_desk.hpp"

#include "metrics_text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace reel {
namespace {

constexpr std::int64_t kStatusMs = 1000;  // between two looks for what `systemctl status` shows
constexpr std::int64_t kAgainMs = 100;    // to the next try of what systemd had no time for

}  // namespace

void ServiceDesk::open(const std::optional<ListenAddress>& address) {
  if (!address) return;
  server_.emplace(*address);
  const std::string where = server_->address().text();
  owner_.log(LogLevel::info, fmt::format("serves http://{0}/metrics and http://{0}/health", where));
  if (!address->loopback())
    owner_.log(
        LogLevel::warning,
        fmt::format("{} is no address of this machine alone: whoever reaches it reads how the pipeline does, "
                    "unasked for a name and without encryption; 127.0.0.1 is for this machine",
                    where));
}

void ServiceDesk::add_polled(std::vector<pollfd>& polled) const {
  if (server_) polled.push_back({server_->fd(), POLLIN, 0});
}

void ServiceDesk::ready() {
  if (std::exchange(ready_, true)) return;
  ready_told_ = notifier_.tell("READY=1");
}

void ServiceDesk::ending() {
  if (std::exchange(ending_, true)) return;
  (void)notifier_.tell("STOPPING=1\nSTATUS=the pipeline is on its way to its end");
}

std::optional<std::int64_t> ServiceDesk::next_ms() const noexcept {
  if (!notifier_.listened_to() || ending_) return std::nullopt;
  return notifier_.watchdog_ms() ? std::min(next_alive_ms_, next_status_ms_) : next_status_ms_;
}

void ServiceDesk::tend(const HealthRule& rule, std::int64_t now_ms) {
  if (notifier_.listened_to()) tell_systemd(rule, now_ms);
  if (server_ && server_->asked()) give_pages();
}

// A pipeline that ends is watched by its own timeouts; they are longer than systemd's patience may be.
void ServiceDesk::tell_systemd(const HealthRule& rule, std::int64_t now_ms) {
  const bool alive_due = notifier_.watchdog_ms() && now_ms >= next_alive_ms_;
  const bool status_due = !ending_ && now_ms >= next_status_ms_;
  if (!alive_due && !status_due) return;
  const bool needs_frames = rule.watchdog_wants_frames && ready_ && !ending_;
  std::optional<Health> health;
  if (status_due || needs_frames) health = owner_.health(owner_.report());
  if (alive_due) {
    next_alive_ms_ = now_ms + *notifier_.watchdog_ms();
    const bool told = (needs_frames && !health->good) || notifier_.tell("WATCHDOG=1");
    if (!told) next_alive_ms_ = now_ms + std::min<std::int64_t>(kAgainMs, *notifier_.watchdog_ms());
  }
  if (ready_ && !ready_told_) ready_told_ = notifier_.tell("READY=1");
  if (status_due) {
    next_status_ms_ = now_ms + kStatusMs;
    notifier_.tell_status(health_line(*health));
  }
}

void ServiceDesk::give_pages() {
  const PipelineReport report = owner_.report();
  const Health health = owner_.health(report);
  HttpPages pages;
  pages["/metrics"] = {200, kMetricsType, metrics_text(report, health)};
  pages["/health"] = {health.good ? 200 : 503, "application/json", health_json(health, report.name)};
  server_->give(std::move(pages));
}

}  // namespace reel
